import t from 'tap'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import type { FileSystem } from '../src/events/file-system/file-system.js'
import { type Problem, problem } from '../src/events/log/damage.js'
import { auditLog } from '../src/events/log/index.js'
import { FactStore } from '../src/events/store/fact-store.js'
import type { Fact } from '../src/events/vocabulary/facts.js'
import { toHex } from '../src/foundation/bytes.js'
import { SottoError } from '../src/foundation/errors.js'
import { pooledRng } from '../src/foundation/rng.js'
import { forgetMessage } from '../src/profile/decisions/forget-messages.js'
import { parseDuration, sayDuration } from '../src/profile/duration.js'
import { type Forgetful, Forgetting, keepForgetting } from '../src/profile/forgetting.js'
import { search, show } from '../src/profile/methods/chats.js'
import type { Call } from '../src/profile/methods/method.js'
import { scrubInBackground } from '../src/profile/scrub.js'
import type { Backing } from '../src/projections/engine/backing.js'
import { memoryBacking } from '../src/projections/engine/backing.js'
import type { Projections } from '../src/projections/engine.js'
import { faultyFileSystem, systemError } from './fixtures/faulty-file-system.js'
import { PEOPLE, START, messageIdOf } from './fixtures/histories.js'
import { openOn } from './fixtures/projected.js'

const [ALICE = '', BOB = ''] = PEOPLE
const MINUTE = 60_000
const received = (n: number): Fact => ({
  type: 'MessageReceived',
  data: {
    messageId: messageIdOf(n),
    checkCode: Buffer.alloc(16, n),
    from: BOB,
    sentAt: START + n,
    how: 'link',
    kind: 'text',
    body: { text: `meet at ${n}` },
  },
})
const shown = (...ns: number[]): Fact => ({
  type: 'MessagesShown',
  data: { from: BOB, messageIds: ns.map(messageIdOf) },
})
const disappearing = (afterMs: number | null): Fact => ({
  type: 'DisappearingSet',
  data: { with: BOB, afterMs },
})

/** A profile as far as forgetting goes: a real log and real projections, a clock that is set by hand. */
class Place implements Forgetful {
  time = START
  readonly forgetting = new Forgetting(this)
  readonly clock = { now: () => this.time }
  /** What was erased, once each time. */
  readonly rewrites: (readonly number[])[] = []
  readonly store = {
    forget: async (seqs: readonly number[]) => {
      await this.facts.forget(seqs)
      this.rewrites.push(seqs)
    },
  }

  private constructor(
    readonly facts: FactStore,
    readonly projections: Projections,
  ) {}

  static async open(fs: FileSystem, backing: Backing): Promise<Place> {
    const facts = await FactStore.open({ ...logAt(fs), rng: pooledRng(), lock: false })
    return new Place(facts, await openOn(facts, backing, { logId: facts.logId }))
  }

  get view() {
    return this.projections.view
  }

  async append(facts: readonly Fact[]): Promise<void> {
    if (facts.length === 0) return
    const { facts: stored, link } = await this.facts.appendLinked(facts, this.time)
    await this.projections.apply(stored, link)
  }

  async forget(n: number): Promise<void> {
    await this.append(forgetMessage(this, messageIdOf(n)))
    await this.forgetting.erase()
  }

  async close(): Promise<void> {
    await this.projections.close()
    await this.facts.close()
  }
}

function logAt(fs: FileSystem) {
  return { directory: '/log', fs, root: Buffer.alloc(32, 1), owner: Buffer.alloc(32, 3) }
}

/** Alice's log with three messages of Bob's; message n is record n + 1. */
async function told(fs: FileSystem): Promise<void> {
  const store = await FactStore.create({ ...logAt(fs), rng: pooledRng(), lock: false })
  const keys = { certificate: Buffer.alloc(200, 1), spki: Buffer.alloc(40, 1) }
  await store.append([{ type: 'IdentityCreated', data: { ...keys, id: ALICE, origin: 'generated' } }], START)
  for (const n of [1, 2, 3]) await store.append([received(n)], START + n)
  await store.close()
}

async function factsIn(store: FactStore) {
  const facts = []
  for await (const { fact } of store.read()) facts.push(fact)
  return facts
}

t.test('ID-3 killed at any step of forgetting, it is finished by whoever opens the log next', async (t) => {
  let steps = 0
  const ends = { kept: 0, finished: 0 }
  for (let killAt = 1; ; killAt++) {
    const fs = memoryFileSystem()
    const backing = memoryBacking()
    await told(fs)
    const whole = await FactStore.open({ ...logAt(fs), rng: pooledRng(), readOnly: true })
    const { seq, link } = whole.head
    await whole.close()
    let operations = 0
    const dying = faultyFileSystem(fs, (operation) => {
      if (operation === 'read') return null
      return ++operations >= killAt ? systemError('EIO') : null
    })
    const completed = await Place.open(dying, backing)
      .then((place) => place.forget(2))
      .then(
        () => true,
        () => false,
      )
    if (completed) break
    steps++
    const place = await Place.open(fs, backing)
    const named = place.view.message(messageIdOf(2)) === undefined
    ends[named ? 'finished' : 'kept']++
    await place.forgetting.erase()
    t.strictSame(place.view.erasures(10), [])
    const facts = await factsIn(place.facts)
    t.equal(facts[2]?.type, named ? 'Erased' : 'MessageReceived', `step ${killAt}`)
    t.equal(facts.filter(({ type }) => type === 'ContentForgotten').length, named ? 1 : 0)
    t.ok((await place.projections.replayCheck()).every(({ equal }) => equal))
    await place.close()
    const audit = await auditLog(logAt(fs))
    t.ok(audit.ok, 'the log proves the rest')
    t.ok(await standsAt(fs, seq, link), 'and a link given before is still on the chain')
  }
  t.ok(ends.kept > 2 && ends.finished > 8, `${steps} steps: ${JSON.stringify(ends)}`)
})

async function standsAt(fs: FileSystem, seq: number, link: Uint8Array): Promise<boolean> {
  const store = await FactStore.open({ ...logAt(fs), rng: pooledRng(), readOnly: true })
  for await (const each of store.read(seq)) {
    await store.close()
    return each.link !== null && toHex(each.link) === toHex(link)
  }
  return false
}

t.test('ID-3 what was erased is told by type and time alone, and is not forgotten twice', async (t) => {
  const fs = memoryFileSystem()
  await told(fs)
  const place = await Place.open(fs, memoryBacking())
  await place.forget(2)
  t.same(place.rewrites, [[3]])
  t.same((await factsIn(place.facts))[2], {
    seq: 3,
    at: START + 2,
    type: 'Erased',
    data: { of: 'MessageReceived' },
  })
  t.throws(() => forgetMessage(place, messageIdOf(2)), { code: 'not-found' })
  await place.forgetting.erase()
  t.equal(place.rewrites.length, 1, 'nothing is left to do')
  await place.append([received(2)])
  t.equal(place.view.message(messageIdOf(2)), undefined, 'though it comes again')
  await place.close()
})

t.test('what disappears is out of sight at once, and erased together with what follows it', async (t) => {
  const fs = memoryFileSystem()
  await told(fs)
  const place = await Place.open(fs, memoryBacking())
  await place.append([disappearing(80 * MINUTE), shown(1)])
  place.time += MINUTE
  await place.append([shown(2)])
  place.time += 79 * MINUTE - 1
  await place.forgetting.tend()
  t.equal(place.view.conversation(BOB).length, 3)
  place.time += 1
  await place.forgetting.tend()
  t.equal(place.view.message(messageIdOf(1)), undefined)
  t.same(place.rewrites, [])
  place.time += MINUTE
  await place.forgetting.tend()
  t.equal(place.view.message(messageIdOf(2)), undefined)
  place.time += 9 * MINUTE - 1
  await place.forgetting.tend()
  t.same(place.rewrites, [])
  place.time += 1
  await place.forgetting.tend()
  t.same(place.rewrites, [[2, 3]], 'ten minutes after the first of them')
  t.ok(place.view.message(messageIdOf(3)), 'what nobody saw stays')
  await place.append([disappearing(8 * MINUTE), shown(3)])
  place.time += 8 * MINUTE
  await place.forgetting.tend()
  place.time += MINUTE
  await place.forgetting.tend()
  t.equal(place.rewrites.length, 2, 'with a short timer sooner')
  t.same(place.view.conversations(), [])
  await place.close()
})

t.test('a long conversation disappears in facts of 256 letters', async (t) => {
  const fs = memoryFileSystem()
  await told(fs)
  const place = await Place.open(fs, memoryBacking())
  const many = Array.from({ length: 597 }, (_, i) => i + 4)
  await place.append(many.map(received))
  await place.append([shown(1, 2, 3, ...many), disappearing(MINUTE)])
  place.time += MINUTE
  await place.forgetting.expire()
  t.same(place.view.conversations(), [])
  const sizes = (await factsIn(place.facts)).flatMap((fact) =>
    fact.type === 'ContentForgotten' ? [fact.data.letters.length] : [],
  )
  t.same(sizes, [256, 256, 88])
  await place.forgetting.erase()
  t.equal((await factsIn(place.facts)).filter(({ type }) => type === 'Erased').length, 600)
  await place.close()
})

t.test(
  'ID-3 what has disappeared is shown no more, however much of it still waits to be forgotten',
  async (t) => {
    const fs = memoryFileSystem()
    await told(fs)
    const place = await Place.open(fs, memoryBacking())
    const many = Array.from({ length: 597 }, (_, i) => i + 4)
    await place.append(many.map(received))
    await place.append([shown(...many, 1, 2), disappearing(MINUTE)])
    const found: unknown[] = []
    const call = { view: place.view, host: { profile: place }, emit: (row: unknown) => found.push(row) }
    const look = async () => {
      found.length = 0
      await search.run(call as unknown as Call, { text: 'meet' })
      return found.length
    }
    t.equal(await look(), 600)
    place.time += MINUTE
    t.equal(await look(), 1, 'but the one that nobody has read')
    t.throws(() => show.run(call as unknown as Call, { messageId: messageIdOf(5) }), { code: 'not-found' })
    await place.forgetting.expire(1)
    t.equal(place.view.conversations()[0]?.messages, 600 - 256, 'an opening takes a part of it')
    t.equal(await look(), 1)
    await place.forgetting.expire()
    t.equal(place.view.conversations()[0]?.messages, 1)
    await place.close()
  },
)

t.test(
  'ID-3 the recovery seed goes once a backup has taken it along, also in a log of an older version',
  async (t) => {
    const fs = memoryFileSystem()
    await told(fs)
    const place = await Place.open(fs, memoryBacking())
    await place.append([{ type: 'RecoverySeedKept', data: { seed: Buffer.alloc(32, 5) } }])
    await place.forgetting.expire()
    t.same(place.view.self()?.recovery, { seq: 5, backedUp: false })
    await place.append([{ type: 'BackupMade', data: { form: 'file', epoch: 0 } }])
    await place.forgetting.expire()
    await place.forgetting.erase()
    t.equal(place.view.self()?.recovery, null)
    t.equal((await factsIn(place.facts))[4]?.type, 'Erased')
    const seqs = place.view.seq
    await place.forgetting.expire()
    t.equal(place.view.seq, seqs, 'once')
    await place.close()
  },
)

t.test('a daemon goes on with what was begun, and looks again and again until it is stopped', async (t) => {
  const fs = memoryFileSystem()
  await told(fs)
  const place = await Place.open(fs, memoryBacking())
  await place.append(forgetMessage(place, messageIdOf(1)))
  const waiting: (() => void)[] = []
  let cancelled = 0
  const after = (_ms: number, then: () => void) => {
    waiting.push(then)
    return () => {
      cancelled++
    }
  }
  const settled = async (times: number) => {
    while (waiting.length < times) await new Promise((resolve) => setImmediate(resolve))
  }
  const stop = keepForgetting(place.forgetting, after)
  await settled(1)
  t.same(place.rewrites, [[2]])
  await place.append([disappearing(MINUTE), shown(2)])
  place.time += MINUTE
  waiting[0]?.()
  await settled(2)
  t.equal(place.view.message(messageIdOf(2)), undefined)
  stop()
  t.equal(cancelled, 1)
  await place.close()
})

t.test('durations as they are typed', (t) => {
  const known = { '1m': 60_000, '30m': 1_800_000, '12h': 43_200_000, '7d': 604_800_000, off: null }
  for (const [text, ms] of Object.entries(known)) t.equal(parseDuration(text), ms)
  t.same([null, 60_000, 604_800_000, 2_419_200_000, 5_400_000].map(sayDuration), [
    'off',
    '1m',
    '7d',
    '4w',
    '90m',
  ])
  for (const text of ['', '0m', '59s', '7', 'd', '1.5h', '-1d', '521w', '9999999w', '7D', '007d']) {
    t.throws(() => parseDuration(text), { code: 'usage' }, text)
  }
  t.end()
})

t.test('a daemon whose system refuses to read looks again later; only damage ends it', async (t) => {
  const refusals = [new SottoError('log-unavailable', 'EMFILE'), new SottoError('log-unavailable', 'EMFILE')]
  const scrub = (): Promise<Problem[]> => {
    const refused = refusals.pop()
    return refused === undefined ? Promise.resolve([problem(1, 384, 'frame')]) : Promise.reject(refused)
  }
  // The wait for the next look keeps no process alive.
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(alive))
  const scrubbing = scrubInBackground({ scrub }, 1)
  t.match(await scrubbing.damage, { code: 'log-corrupt' }, 'what is found at last')
  t.same(refusals, [])
  await scrubbing.stop()
})
