import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { FileHandle, FileSystem } from '../src/events/file-system/file-system.js'
import { type MemoryFileSystem, memoryFileSystem } from '../src/events/file-system/memory.js'
import { FRAME_LENGTH_BYTES, FRAMES_OFFSET } from '../src/events/log/format.js'
import { FrameWalk } from '../src/events/log/frame-walk.js'
import { openFrame } from '../src/events/log/frame.js'
import { type Log, type NewRecord, auditLog, createLog, openLog } from '../src/events/log/index.js'
import { logKeys, readView } from '../src/events/log/log-view.js'
import { openFiles } from '../src/events/log/open.js'
import type { ReadRecord } from '../src/events/log/record.js'
import { mergeNext } from '../src/events/log/rewrite/merge-policy.js'
import { openSegment, segmentPath } from '../src/events/log/segment-file.js'
import { toHex } from '../src/foundation/bytes.js'
import { Chance } from './fixtures/crash/chance.js'
import { CrashDisk } from './fixtures/crash/disk.js'
import { DiskProcess } from './fixtures/crash/process.js'
import { faultyFileSystem, systemError } from './fixtures/faulty-file-system.js'
import { LOG_DIRECTORY, diskWith, imageOf, logOptions, readAll, record, textsOf } from './fixtures/logs.js'

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
  await fc.assert(property, { numRuns: 70 })
  t.ok(rewritten > 20, 'the first segment was replaced in many runs')
})

/** Lets everything else happen before each operation, so that whoever works at the same time really does. */
function turnByTurn(fs: FileSystem): FileSystem {
  const turn = async <T>(work: () => Promise<T>): Promise<T> => {
    await new Promise(setImmediate)
    return work()
  }
  const handle = (file: FileHandle): FileHandle => ({
    read: (offset, length) => turn(() => file.read(offset, length)),
    write: (offset, bytes) => turn(() => file.write(offset, bytes)),
    datasync: () => turn(() => file.datasync()),
    truncate: (length) => turn(() => file.truncate(length)),
    size: () => turn(() => file.size()),
    close: () => file.close(),
  })
  return {
    ...fs,
    open: (path, mode) => turn(async () => handle(await fs.open(path, mode))),
    exists: (path) => turn(() => fs.exists(path)),
    unlink: (path) => turn(() => fs.unlink(path)),
    rename: (from, to) => turn(() => fs.rename(from, to)),
  }
}

t.test(
  'ES-1 who reads beside rewrites, in this process or another, always sees the same records',
  async (t) => {
    const fs = memoryFileSystem()
    const options = logOptions(turnByTurn(fs), { segmentBytes: 700 })
    const log = await createLog(options)
    const written: string[] = []
    const append = async (text: string) => {
      await log.append([record(text)])
      written.push(text)
    }
    for (let i = 0; i < 40; i++) await append(`message ${i}`)
    const forgotten = new Set<number>()
    let writing = true
    let renewed = 0
    const mustAgree = (records: readonly ReadRecord[], atLeast: number) => {
      t.ok(records.length >= atLeast)
      t.ok(records.every(({ seq }, i) => seq === i + 1))
      const wrong = records.filter(({ seq, erased, body }) =>
        erased ? !forgotten.has(seq) : Buffer.from(body).toString() !== written[seq - 1],
      )
      t.same(wrong, [])
    }
    const readHere = async () => {
      while (writing) mustAgree(await readAll(log), log.head.seq - 1)
    }
    const readElsewhere = async () => {
      while (writing) {
        const before = written.length
        const reader = await openLog({ ...options, readOnly: true })
        const key = reader.head.seq
        mustAgree(await readAll(reader), before)
        mustAgree(await readAll(reader), key)
        await reader.close()
        renewed++
      }
    }
    const write = async () => {
      for (let round = 0; round < 12; round++) {
        const seqs = [round * 3 + 1, (round * 7) % 40 || 40]
        for (const seq of seqs) forgotten.add(seq)
        await Promise.all([log.forget(seqs), append(`beside ${round}`)])
        await (round % 3 === 0 ? log.rekey() : log.merge())
      }
      writing = false
    }
    await Promise.all([write(), readHere(), readHere(), readElsewhere(), readElsewhere()])
    t.ok(renewed > 4, `${renewed} readers`)
    await log.close()
  },
)

/** The plaintext of every frame of every segment that the log lists. */
async function plaintextsOf(fs: MemoryFileSystem): Promise<Buffer[]> {
  const place = logOptions(fs)
  const opened = await openFiles(place)
  const { files, manifest } = await readView(opened, logKeys(place.root, opened.keyring.logId))
  const plaintexts: Buffer[] = []
  for (const entry of manifest.segments) {
    const segment = await openSegment(files, entry)
    const walk = new FrameWalk(segment)
    for (;;) {
      const start = walk.position
      if ((await walk.next()) === null) break
      const length = walk.position.offset - start.offset - FRAME_LENGTH_BYTES
      const sealed = await segment.file.read(start.offset + FRAME_LENGTH_BYTES, length)
      plaintexts.push(Buffer.from(openFrame(segment.keys, start, sealed) ?? ''))
    }
  }
  return plaintexts
}

/** The files that the manifest lists, in the chain's order. */
async function listedIn(fs: MemoryFileSystem): Promise<string[]> {
  const place = logOptions(fs)
  const opened = await openFiles(place)
  const { manifest } = await readView(opened, logKeys(place.root, opened.keyring.logId))
  return manifest.segments.map(({ number }) => segmentPath(place.directory, number))
}

function segmentsOn(fs: MemoryFileSystem): string[] {
  return fs.paths().filter((path) => path.endsWith('.seg'))
}

t.test('ES-2 what is forgotten is in no file, under no key; the chain and its links hold', async (t) => {
  const fs = memoryFileSystem()
  const done: string[] = []
  const watched = faultyFileSystem(fs, (operation, path) => {
    if (!path.endsWith('.seg') && operation !== 'syncDirectory') return null
    if (operation === 'unlink') {
      t.ok(
        fs
          .contents(path)
          .subarray(0, FRAMES_OFFSET)
          .every((byte) => byte === 0),
        'its key is gone first',
      )
      t.same(done.filter((each) => each.endsWith(path)).slice(-2), [`write ${path}`, `datasync ${path}`])
    }
    done.push(`${operation} ${path}`)
    return null
  })
  const options = logOptions(watched, { segmentBytes: 1500 })
  const log = await createLog(options)
  const secret = 'meet me at the old mill'
  for (let i = 0; i < 12; i++) await log.append([record(`before ${i}`), record(`${secret} ${i}`)])
  const links = (await readAll(log)).map(({ link }) => link)
  const [, second] = await readAll(log)
  const salt = Buffer.from(second?.kept ?? []).subarray(0, 16)
  const held = async () => {
    const all = Buffer.concat(await plaintextsOf(fs))
    return [all.includes(Buffer.from(secret)), all.includes(salt)]
  }
  t.same(await held(), [true, true], 'the search finds what is there')
  const before = segmentsOn(fs)
  const { head } = log
  const seqs = Array.from({ length: 12 }, (_, i) => 2 * i + 2)
  await Promise.all([log.forget(seqs.slice(0, 7)), log.forget(seqs.slice(5)), log.forget([])])
  t.equal(done.at(-1), `syncDirectory ${LOG_DIRECTORY}`)
  t.same(await held(), [false, false])
  t.notOk(
    segmentsOn(fs).some((path) => before.includes(path)),
    'every segment that held one is replaced',
  )
  t.same(
    (await readAll(log)).map(({ link }) => link),
    links,
  )
  t.same(log.head, head)
  t.match((await readAll(log))[1], { erased: true, type: 55, at: second?.at })

  const image = imageOf(fs)
  const count = done.length
  await log.forget([2, 4, 4])
  t.same(
    done.slice(count).filter((each) => !/^(open|read)/.test(each)),
    [],
    'erased already: nothing is written',
  )
  t.same(imageOf(fs), image)
  const untouched = (await listedIn(fs)).slice(0, -1)
  await log.append([record('one more')])
  await log.forget([25])
  t.ok(
    untouched.every((path) => fs.paths().includes(path)),
    'segments without the record stay',
  )
  await log.close()
  t.match(await auditLog(options), { ok: true, events: 25 })
  await t.rejects(log.forget([1]), { code: 'log-closed' })
  const again = await openLog(options)
  for (const seq of [0, 26, 1.5]) await t.rejects(again.forget([seq]), { code: 'malformed' })
  await t.rejects(
    again.compact(() => false),
    { code: 'malformed' },
  )
  await again.close()
})

t.test(
  'ES-1 ES-2 a power cut at any operation of a rewrite: the old log or the new one, and nothing else left',
  async (t) => {
    const works: Record<string, (log: Log) => Promise<unknown>> = {
      forget: (log) => log.forget([2, 3, 9]),
      merge: (log) => log.merge(),
      rekey: (log) => log.rekey(),
    }
    const base = memoryFileSystem()
    const texts = Array.from({ length: 9 }, (_, i) => `message ${i}`)
    await (await createLog(logOptions(base))).close()
    for (const part of [
      texts.slice(0, 2),
      texts.slice(2, 4),
      texts.slice(4, 6),
      texts.slice(6, 7),
      texts.slice(7),
    ]) {
      const log = await openLog(logOptions(base))
      for (const text of part) await log.append([record(text)])
      await log.close()
    }
    const chance = new Chance(1)
    for (const [name, work] of Object.entries(works)) {
      let finished = false
      let cuts = 0
      let resumed = 0
      for (let at = 0; !finished; at++) {
        const disk = new CrashDisk(chance, LOG_DIRECTORY)
        for (const [path, bytes] of imageOf(base)) disk.put(path, bytes)
        let left = Infinity
        const writer = new DiskProcess(disk, () => (left-- > 0 ? null : 'EIO'))
        const failing = await openLog(logOptions(writer.fs))
        left = at
        const appended = failing.append([record('beside')]).then(
          () => true,
          () => false,
        )
        finished = await work(failing).then(
          () => true,
          () => false,
        )
        const acknowledged = await appended
        writer.kill()
        disk.powerCut()
        const found = diskWith(disk.image(LOG_DIRECTORY))
        const mended = await openLog(logOptions(found))
        const records = await readAll(mended)
        const kept = records.filter(({ erased }) => !erased).map(({ body }) => Buffer.from(body).toString())
        const plain = acknowledged ? [...texts, 'beside'] : texts
        const isErased = new Set(name === 'forget' ? [2, 3, 9] : [])
        t.ok(
          records.length === plain.length || (!acknowledged && records.length === 10),
          `${name}, cut at ${at}`,
        )
        t.same(
          kept.filter((text) => text !== 'beside'),
          texts.filter((_, i) => records[i]?.erased !== true),
        )
        t.ok(records.every(({ seq, erased }) => !erased || isErased.has(seq)))
        if (finished)
          t.equal(records.filter(({ erased }) => erased).length, isErased.size, 'what was said is so')
        t.equal(mended.recovered?.ambiguous ?? false, mended.recovered?.ambiguous === true && !acknowledged)
        await mended.append([record('and on it goes')])
        const unfinished = (await openFiles(logOptions(found))).keyring.keks.length > 1
        t.equal(
          (await mended.finishRekey()) !== null,
          unfinished,
          'a change of key is finished if it was begun',
        )
        const { keyring } = await openFiles(logOptions(found))
        t.equal(keyring.keks.length, 1)
        if (unfinished) resumed++
        await mended.close()
        const listed = await listedIn(found)
        t.same(segmentsOn(found).sort(), listed.sort(), 'no file is left that is not listed')
        t.match(await auditLog(logOptions(found)), { ok: true, events: records.length + 1, problems: [] })
        cuts++
      }
      t.ok(cuts > 30, `${name}: ${cuts} cuts`)
      t.ok(name !== 'rekey' || resumed > 10, `${resumed} changes of key were finished`)
    }
  },
)

function keysOf(log: Log) {
  return logKeys(logOptions(memoryFileSystem()).root, log.logId)
}

t.test('after a new key nothing opens with the one before', async (t) => {
  const fs = memoryFileSystem()
  const options = logOptions(fs, { segmentBytes: 600 })
  const log = await createLog(options)
  for (let i = 0; i < 20; i++) await log.append([record(`message ${i}`)])
  const old = await openFiles(options)
  const appended = log.append([record('beside')])
  t.same(await log.rekey(), { generation: 2 })
  await appended
  t.same(await log.rekey(), { generation: 3 })
  await log.append([record('after')])
  t.equal((await textsOf(log)).length, 22)
  await log.close()
  const now = await openFiles(options)
  t.same(
    now.keyring.keks.map(({ generation }) => generation),
    [3],
  )
  const { manifest } = await readView(now, keysOf(log))
  for (const entry of manifest.segments) {
    await t.rejects(openSegment(old, entry), { code: 'log-corrupt' })
    t.ok(await openSegment(now, entry))
  }
})

t.test('many short sessions become few segments with full frames', async (t) => {
  const fs = memoryFileSystem()
  const options = logOptions(fs)
  await (await createLog(options)).close()
  const body = Buffer.alloc(440, 1)
  for (let session = 0; session < 50; session++) {
    const log = await openLog(options)
    for (let i = 0; i < 20; i++) await log.append([{ ...record(''), body }])
    await log.close()
  }
  const log = await openLog(options)
  const bytes = () => segmentsOn(fs).reduce((sum, path) => sum + fs.contents(path).length, 0)
  const before = bytes()
  const { segments } = await log.merge()
  t.ok(segments <= 2, `${segments} segments`)
  const packed = 1000 * (440 + 16)
  t.ok(bytes() / packed < 1.05, `${bytes()} bytes of ${before}, ${bytes() / packed} of what is packed`)
  t.equal((await readAll(log)).length, 1000)
  const frames = await plaintextsOf(fs)
  t.equal(frames.length, 7)
  t.ok(
    frames.every(({ length }) => length < 70_000),
    'none is larger than a commit may be',
  )
  await log.close()
})

t.test('merging rewrites each record a few times only, and nothing without need', (t) => {
  const segmentBytes = 1 << 20
  const sizes: { bytes: number; frames: number; records: number }[] = []
  let rewritten = 0
  let most = 0
  for (let session = 0; session < 2000; session++) {
    sizes.push({ bytes: 1000, frames: 10, records: 10 })
    for (let range = mergeNext(sizes, segmentBytes); range !== null; range = mergeNext(sizes, segmentBytes)) {
      const parts = sizes.slice(range.from, range.to)
      const sum = (of: (part: (typeof parts)[number]) => number) =>
        parts.reduce((all, part) => all + of(part), 0)
      const [bytes, records] = [sum((part) => part.bytes), sum((part) => part.records)]
      rewritten += bytes
      sizes.splice(range.from, parts.length, {
        bytes,
        records,
        frames: Math.ceil(records / 256 + bytes / 65_536),
      })
    }
    most = Math.max(most, sizes.length)
  }
  const times = rewritten / (2000 * 1000)
  t.ok(times < Math.log2(segmentBytes / 1000), `each byte was rewritten ${times} times`)
  t.ok(most < 40, `${most} segments at most`)
  const full = { bytes: segmentBytes, frames: 20, records: 3000 }
  t.equal(
    mergeNext(
      Array.from({ length: 50 }, () => full),
      segmentBytes,
    ),
    null,
  )
  t.same(mergeNext([full, { ...full, frames: 3000 }], segmentBytes), { from: 1, to: 2 }, 'small frames')
  t.end()
})

t.test(
  'damage in what is to be rewritten stops the rewrite, changes nothing, and the log goes on',
  async (t) => {
    const fs = memoryFileSystem()
    const options = logOptions(fs, { segmentBytes: 600 })
    const log = await createLog(options)
    for (let i = 0; i < 12; i++) await log.append([record(`message ${i}`)])
    await log.rotate()
    const [, victim = ''] = await listedIn(fs)
    const good = fs.contents(victim)
    for (const at of [100, 200, 290, FRAMES_OFFSET + 20, good.length - 1]) {
      const bad = Buffer.from(good)
      bad.writeUInt8((bad[at] ?? 0) ^ 1, at)
      for (const bytes of [bad, good.subarray(0, -1), Buffer.concat([good, Buffer.alloc(1)])]) {
        fs.put(victim, bytes)
        await t.rejects(log.rekey(), { code: 'log-corrupt' })
        await t.rejects(log.forget([6]), { code: 'log-corrupt' }, `byte ${at}`)
        t.ok(fs.contents(victim).equals(bytes))
      }
    }
    fs.put(victim, good)
    t.same((await listedIn(fs)).sort(), segmentsOn(fs).sort(), 'no draft is left')
    await log.append([record('on it goes')])
    await log.forget([4])
    t.equal((await readAll(log)).filter(({ erased }) => erased).length, 1)
    await log.close()
    t.match(await auditLog(options), { ok: true, events: 13 })
  },
)

t.test('a disk that fails during a rewrite ends the log; what was acknowledged is there', async (t) => {
  for (const operation of ['write', 'datasync', 'rename', 'unlink', 'syncDirectory'] as const) {
    const fs = memoryFileSystem()
    let broken = false
    const faulty = faultyFileSystem(fs, (each) =>
      broken && each === operation ? systemError('ENOSPC') : null,
    )
    const log = await createLog(logOptions(faulty))
    for (let i = 0; i < 3; i++) await log.append([record(`message ${i}`)])
    await log.rotate()
    broken = true
    await t.rejects(log.forget([2]), { code: 'log-failed' }, operation)
    await t.rejects(log.append([record('no more')]), { code: 'log-failed' })
    await t.rejects(log.merge(), { code: 'log-failed' })
    await log.close().catch(() => undefined)
    const again = await openLog(logOptions(fs))
    t.match(
      (await textsOf(again)).filter((text) => text !== ''),
      /message 0,(message 1,)?message 2/,
    )
    await again.forget([2])
    t.same(await textsOf(again), ['message 0', '', 'message 2'])
    t.same(segmentsOn(fs).length, 2)
    await again.close()
  }
})

t.test('closing breaks a rewrite off; opening removes what a killed one left', async (t) => {
  const fs = memoryFileSystem()
  const options = logOptions(turnByTurn(fs))
  const log = await createLog(options)
  for (let i = 0; i < 5; i++) await log.append([record(`message ${i}`)])
  const forgetting = log.forget([1])
  const rekeying = log.rekey()
  const appending = log.append([record('the last')])
  const broken = [t.rejects(forgetting, { code: 'log-closed' }), t.rejects(rekeying, { code: 'log-closed' })]
  await log.close()
  await Promise.all([...broken, appending])
  t.same((await listedIn(fs)).sort(), segmentsOn(fs).sort(), 'no draft is left')
  const again = await openLog(logOptions(fs))
  t.equal((await textsOf(again)).at(-1), 'the last')
  await again.close()
})

t.test('segments are merged in the background, after a while, and only if it is wanted', async (t) => {
  const fs = memoryFileSystem()
  await (await createLog(logOptions(fs))).close()
  for (let i = 0; i < 8; i++) {
    const log = await openLog(logOptions(fs))
    await log.append([record(`session ${i}`)])
    await log.close()
  }
  for (const merge of ['off', 'auto'] as const) {
    const due: { ms: number; then: () => void }[] = []
    const after = (ms: number, then: () => void) => {
      due.push({ ms, then })
      return () => undefined
    }
    const log = await openLog(logOptions(fs, { merge, after }))
    t.same(
      due.map(({ ms }) => ms),
      merge === 'auto' ? [2000] : [],
    )
    for (const { then } of due.splice(0)) then()
    await log.append([record('beside')])
    await log.rotate()
    await log.forget([])
    t.equal((await listedIn(fs)).length, merge === 'auto' ? 3 : 10)
    await log.close()
  }
  t.match(await auditLog(logOptions(fs)), { ok: true, events: 10 })
})

t.test(
  'ES-3 compaction leaves out what does not count; numbers stay, and so does what comes meanwhile',
  async (t) => {
    const property = fc.asyncProperty(
      fc.array(
        fc.record({
          groups: fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
          beside: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
          compact: fc.boolean(),
          first: fc.boolean(),
          other: fc.constantFrom('rekey' as const, 'merge' as const, 'reopen' as const, null),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      fc.integer({ min: 450, max: 2000 }),
      async (rounds, segmentBytes) => {
        const fs = memoryFileSystem()
        const options = logOptions(fs, { segmentBytes, compacting: true })
        let log = await createLog(options)
        const newest = new Map<string, number>()
        const append = async (keys: readonly number[]) => {
          const { firstSeq } = await log.append(keys.map((key) => record(`key ${key}`)))
          keys.forEach((key, i) => newest.set(`key ${key}`, firstSeq + i))
        }
        const check = async (atMost: number) => {
          const records = await readAll(log)
          const last = new Map(records.map(({ body, seq }) => [Buffer.from(body).toString(), seq]))
          t.same([...last].sort(), [...newest].sort())
          t.ok(records.length <= atMost)
          t.ok(records.every(({ seq }, i) => i === 0 || seq > (records[i - 1]?.seq ?? 0)))
        }
        for (const { groups, beside, compact, first, other } of rounds) {
          for (const keys of groups) await append(keys)
          if (compact) {
            const counts = new Set(newest.values())
            const asked = [() => log.compact(({ seq }) => counts.has(seq)), () => append(beside)]
            await Promise.all((first ? asked : asked.reverse()).map((ask) => ask()))
            await check(10 + beside.length)
          }
          if (other === 'reopen') {
            const { head } = log
            await log.close()
            log = await openLog(options)
            t.same(log.head, head)
          } else if (other !== null) await log[other]()
          await check(Infinity)
        }
        await log.close()
        t.match(await auditLog(options), { ok: true })
      },
    )
    await fc.assert(property, { numRuns: 30 })
  },
)

t.test('a stretch is damage in a log that keeps every record', async (t) => {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs, { compacting: true }))
  for (let i = 0; i < 5; i++) await log.append([record(`message ${i}`)])
  await t.rejects(log.forget([1]), { code: 'malformed' })
  await log.compact(({ seq }) => seq !== 2)
  t.same(await textsOf(log), ['message 0', 'message 2', 'message 3', 'message 4'])
  t.same(await textsOf(log, 2), ['message 2', 'message 3', 'message 4'])
  await log.close()
  await t.rejects(openLog(logOptions(fs)), { code: 'log-corrupt' })
  t.match(await auditLog(logOptions(fs)), { ok: false, problems: [{ code: 'frame' }] })
})
