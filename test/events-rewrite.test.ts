import fc from 'fast-check'
import t, { type Test } from 'tap'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { type Log, type NewRecord, auditLog, createLog, openLog } from '../src/events/log/index.js'
import type { ReadRecord } from '../src/events/log/record.js'
import { toHex } from '../src/foundation/bytes.js'
import { logOptions, readAll } from './fixtures/logs.js'

/** What the log must hold, whatever is done to its files. */
interface Model {
  readonly records: (NewRecord & { erased: boolean })[]
  /** By the seq that ends a group: the link that `append` gave. */
  readonly links: Map<number, string>
}

type Step =
  | { readonly do: 'append'; readonly group: readonly NewRecord[] }
  | { readonly do: 'forget'; readonly picks: readonly number[] }
  | { readonly do: 'merge' | 'rekey' | 'rotate' }
  | { readonly do: 'reopen' }

const newRecord: fc.Arbitrary<NewRecord> = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  version: fc.integer({ min: 0, max: 3 }),
  at: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  body: fc.uint8Array({ maxLength: 120 }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      group: fc.array(newRecord, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('forget' as const), picks: fc.array(fc.nat(), { maxLength: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Step>({ do: 'merge' }, { do: 'rekey' }, { do: 'rotate' }, { do: 'reopen' }),
  },
)

/** Begins a step; what it promises is in the model when the promise has resolved. */
async function take(log: Log, step: Exclude<Step, { do: 'reopen' }>, model: Model): Promise<void> {
  if (step.do === 'append') {
    const { seq, firstSeq, link } = await log.append(step.group)
    model.links.set(seq, toHex(link))
    for (const [i, each] of step.group.entries()) model.records[firstSeq - 1 + i] = { ...each, erased: false }
  } else if (step.do === 'forget') {
    const seqs = log.head.seq === 0 ? [] : step.picks.map((pick) => (pick % log.head.seq) + 1)
    await log.forget(seqs)
    for (const seq of seqs) Object.assign(model.records[seq - 1] ?? {}, { erased: true })
  } else {
    await log[step.do]()
  }
}

function agrees(t: Test, records: readonly ReadRecord[], { records: expected, links }: Model): void {
  const plain = ({ type, version, at, body, erased }: NewRecord & { erased: boolean }) =>
    `${type} ${version} ${at} ${erased ? 'erased' : toHex(body)}`
  t.same(records.map(plain), expected.map(plain))
  t.same(
    records.map(({ seq }) => seq),
    expected.map((_, i) => i + 1),
  )
  const read = records.flatMap(({ seq, link }) => (link === null ? [] : [[seq, toHex(link)] as const]))
  t.same(new Map(read), links, 'every link is the one that was given')
}

t.test('ES-1 ES-2 no rewrite changes a record that stays, a group, or a link', async (t) => {
  let rewritten = 0
  const property = fc.asyncProperty(
    fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 14 }),
    fc.integer({ min: 450, max: 3000 }),
    async (turns, segmentBytes) => {
      const fs = memoryFileSystem()
      const options = logOptions(fs, { segmentBytes })
      const model: Model = { records: [], links: new Map() }
      let log = await createLog(options)
      for (const turn of turns) {
        const steps = turn.filter((each) => each.do !== 'reopen')
        await Promise.all(steps.map((each) => take(log, each, model)))
        if (steps.length === turn.length) continue
        await log.close()
        log = await openLog(options)
      }
      agrees(t, await readAll(log), model)
      const { head } = log
      await log.close()
      const again = await openLog(options)
      agrees(t, await readAll(again), model)
      t.same(again.head, head)
      t.equal(again.recovered, null)
      await again.close()
      t.match(await auditLog(options), { ok: true, events: model.records.length })
      if (
        fs.paths().some((path) => path.endsWith('.seg')) &&
        !fs.paths().some((path) => path.endsWith('/00000001.seg'))
      )
        rewritten++
    },
  )
  await fc.assert(property, { numRuns: 120 })
  t.ok(rewritten > 20, 'the first segment was replaced in many runs')
})
