import t from 'tap'
import { auditLog, openLog } from '../src/events/log/index.js'
import type { LogRecord } from '../src/events/log/index.js'
import { FactStore } from '../src/events/store/fact-store.js'
import { type Vocabulary, decodeFact } from '../src/events/vocabulary/codec.js'
import type { FactType } from '../src/events/vocabulary/facts.js'
import { REGISTRY, type Registry } from '../src/events/vocabulary/registry.js'
import { type Fields, UPCASTERS, upcast } from '../src/events/vocabulary/upcasters.js'
import { type KeptFact, type LogVersion, keptLogVersions, lineOf } from './fixtures/log-versions.js'
import { logOptions, readAll } from './fixtures/logs.js'
import { openOn } from './fixtures/projected.js'

const REGISTERED: Registry = REGISTRY
const TYPES = Object.keys(REGISTRY) as FactType[]
const KEPT = keptLogVersions()

async function recordsOf({ fs }: LogVersion): Promise<LogRecord[]> {
  const log = await openLog(logOptions(fs))
  try {
    return await readAll(log)
  } finally {
    await log.close()
  }
}

/** What an earlier version read, in the shape of the present one. */
function broughtUp(kept: KeptFact, { version }: LogRecord): KeptFact {
  if (kept.type === 'Erased') return kept
  return { ...kept, data: upcast(UPCASTERS[kept.type], version, { ...kept.data }) } as KeptFact
}

for (const kept of KEPT) {
  t.test(`ES-1 the log of ${kept.version} opens, passes its audit and tells what it told then`, async (t) => {
    const options = logOptions(kept.fs)
    t.match(await auditLog(options), { ok: true, problems: [], events: kept.facts.length })
    const records = await recordsOf(kept)
    t.equal(records.length, kept.facts.length)
    for (const [i, record] of records.entries()) {
      t.equal(lineOf(decodeFact(record)), lineOf(broughtUp(kept.facts[i]!, record)))
    }

    const store = await FactStore.open(options)
    const projections = await openOn(store)
    t.equal(projections.view.seq, kept.facts.length, 'and it can be shown')
    t.ok((await projections.replayCheck()).every(({ equal }) => equal))
    await projections.close()
    await store.append([{ type: 'LoggedOut', data: {} }], 1)
    await store.close()
    t.match(await auditLog(options), { ok: true, events: kept.facts.length + 1 }, 'and gone on with')
  })
}

t.test('ES-1 a log is kept of every version of every fact, and a way up from each', async (t) => {
  const records = (await Promise.all(KEPT.map(recordsOf))).flat()
  const held = new Set(records.map(({ type, version }) => `${type} ${version}`))
  for (const type of TYPES) {
    const { code, version: present } = REGISTERED[type]
    t.equal(UPCASTERS[type]?.length ?? 0, present - 1, `${type} has a step from each version to the next`)
    for (let version = 1; version <= present; version++) {
      t.ok(
        held.has(`${code} ${version}`),
        `${type} ${version}: keep a log (test/fixtures/make-log-version.ts)`,
      )
    }
  }
})

/** A later sotto: letters carry their kind apart since version 2, and say how they came in a word since version 3. */
const LATER: Vocabulary = {
  registry: { ...REGISTERED, MessageReceived: { ...REGISTERED.MessageReceived, version: 3 } },
  upcasters: {
    ...UPCASTERS,
    MessageReceived: [
      ({ kind, body, ...rest }) => ({ ...rest, letter: { kind, body } }),
      ({ how, ...rest }) => ({ ...rest, uncertain: how === 'post' }),
    ],
  },
}

t.test(
  'ES-1 an old log is read by a later sotto through each step, and never by an earlier one',
  async (t) => {
    const letters = (await Promise.all(KEPT.map(recordsOf)))
      .flat()
      .filter(({ type, erased }) => type === REGISTRY.MessageReceived.code && !erased)
    t.ok(letters.length >= 3)
    const steps = LATER.upcasters.MessageReceived
    for (const record of letters) {
      const { kind, body, how, ...rest } = decodeFact(record).data as Fields
      const second = { ...rest, how, letter: { kind, body } }
      const third = { ...rest, letter: { kind, body }, uncertain: how === 'post' }
      t.same(decodeFact(record, LATER).data, third, 'version 1 takes both steps')
      t.same(upcast(steps, 2, second), third, 'version 2 takes the last')
      t.same(upcast(steps, 3, third), third, 'version 3 takes none')
      const newer = { ...record, version: REGISTRY.MessageReceived.version + 1 }
      t.throws(() => decodeFact(newer), { code: 'unknown-event', hint: /upgrade/ }, 'nothing is guessed')
    }
  },
)
