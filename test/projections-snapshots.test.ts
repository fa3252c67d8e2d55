import fc from 'fast-check'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import type { FileSystem } from '../src/events/file-system/file-system.js'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import type { Fact, MessageId } from '../src/events/vocabulary/facts.js'
import { toHex } from '../src/foundation/bytes.js'
import { diskBacking, memoryBacking } from '../src/projections/engine/backing.js'
import type { Backing } from '../src/projections/engine/backing.js'
import type { AnyFold } from '../src/projections/engine/fold.js'
import { openOnDisk } from '../src/projections/engine/database.js'
import { copyStore } from '../src/projections/engine/store-copy.js'
import type { FactSource } from '../src/projections/engine/source.js'
import type { Projections } from '../src/projections/engine.js'
import { FOLDS } from '../src/projections/folds.js'
import { MemoryFacts } from './fixtures/fact-source.js'
import { BOUNDED, PEOPLE, START, anyHistory } from './fixtures/histories.js'
import { everythingIn, happened, openOn } from './fixtures/projected.js'

const [BOB = '', CAROL = ''] = PEOPLE
/** Snapshots at every closing that has something new. */
const ALWAYS = { snapshots: { every: 0, atLeast: 1 } }
const NEVER = { snapshots: { every: 1e9, atLeast: 1e9 } }
const SOMETIMES = { snapshots: { every: 100, atLeast: 100 } }

const idOf = (n: number): MessageId => n.toString(16).padStart(32, '0')

function letter(n: number, text = `secret words ${n}`): Fact {
  const checkCode = Buffer.from(idOf(n), 'hex')
  const common = {
    messageId: idOf(n),
    checkCode,
    sentAt: START + n * 7,
    kind: 'text',
    body: { text },
  } as const
  return { type: 'MessageReceived', data: { ...common, from: n % 2 === 0 ? BOB : CAROL, how: 'link' } }
}

function longStory(messages: number): MemoryFacts {
  const facts = new MemoryFacts()
  for (let n = 0; n < messages; n++) facts.append([letter(n)], START + n * 7)
  return facts
}

async function stateOf(projections: Projections): Promise<unknown> {
  const hashes = await projections.hashes()
  return [everythingIn(projections.view), hashes.map(({ name, rows, hash }) => [name, rows, toHex(hash)])]
}

/** The same log, opened and closed after so many facts each. */
async function livedThrough(facts: MemoryFacts, backing: Backing, stops: readonly number[], more = ALWAYS) {
  for (const stop of stops) await (await openOn(facts.truncated(stop), backing, more)).close()
}

t.test('ES-2 rebuild = incremental = snapshot and tail, for any history', async (t) => {
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(anyHistory(), places, fc.boolean(), async (history, places, harmNewest) => {
      const facts = happened(history)
      const expected = await stateOf(await openOn(facts))
      const backing = memoryBacking()
      const stops = places.map((place) => Math.floor(place * facts.groups.length)).sort((a, b) => a - b)
      await livedThrough(facts, backing, stops)
      const incremental = await openOn(facts, backing, NEVER)
      assert.deepEqual(await stateOf(incremental), expected, 'incremental')
      await incremental.close()
      await backing.discard((await backing.current()) ?? 0)
      const newest = (await backing.snapshots()).at(-1)
      if (harmNewest && newest !== undefined) await forgetCheckpoints(backing, newest)
      const restored = await openOn(facts, backing, NEVER)
      assert.deepEqual(await stateOf(restored), expected, 'snapshot and tail')
    }),
    { numRuns: 25, ...BOUNDED },
  )
  t.pass('for all of them')
})

t.test(
  'ID-3 what another device erased is purged also when the opening that learns of it is killed',
  async (t) => {
    const backing = memoryBacking()
    const facts = longStory(300)
    await livedThrough(facts, backing, [250], SOMETIMES)
    t.strictSame(await backing.snapshots(), [1], 'there is a state with the words that are to go')
    const letters = [{ messageId: idOf(0), day: Math.floor(START / 86_400_000) }]
    facts.append([{ type: 'ContentForgotten', data: { letters, seqs: [1], why: 'asked' } }], START + 9000)
    facts.append([{ type: 'ContentErased', data: { seqs: [1] } }], START + 9000)
    for (let n = 300; n < 6000; n++) facts.append([letter(n)], START + n * 7)
    const killed = new Error('killed')
    const dying: FactSource = {
      head: facts.head,
      async *readFrames(from) {
        for await (const frame of facts.readFrames(from)) {
          if ((frame[0]?.fact.seq ?? 0) > 5500) throw killed
          yield frame
        }
      },
    }
    await t.rejects(openOn(dying, backing, NEVER), killed)
    await (await openOn(facts, backing, NEVER)).close()
    t.strictSame(await backing.snapshots(), [], 'the next one goes on with it')
    await livedThrough(facts, backing, [facts.groups.length])
    t.equal((await backing.snapshots()).length, 1)
    await (await openOn(facts, backing, NEVER)).close()
    t.equal((await backing.snapshots()).length, 1, 'and only once')
  },
)

t.test('two snapshots are kept, of the times that the policy says', async (t) => {
  const backing = memoryBacking()
  const facts = longStory(500)
  const after = async (seq: number) => {
    await livedThrough(facts, backing, [seq], SOMETIMES)
    return backing.snapshots()
  }
  t.strictSame(await after(60), [], 'too few facts')
  t.strictSame(await after(110), [1], 'the first')
  t.strictSame(await after(200), [1], 'not yet 100 more')
  t.strictSame(await after(220), [1, 2])
  t.strictSame(await after(330), [2, 3], 'the oldest goes')
  const untidy = await openOn(facts.truncated(340), backing, SOMETIMES)
  for (const group of facts.groups.slice(340)) await untidy.apply(group.facts, group.link)
  await untidy.flush()
  const opened = await openOn(facts, backing, SOMETIMES)
  t.strictSame(await backing.snapshots(), [3, 4], 'after a kill: at opening')
  t.equal(opened.view.conversations().length, 2, 'and it serves')
})

t.test('ES-2 on disk: what is damaged gives way to snapshots, newest first, then to the log', async (t) => {
  const good = await scratch(t)
  const facts = longStory(560)
  await livedThrough(facts, diskBacking(good), [110, 220, 330, 510], SOMETIMES)
  await livedThrough(facts, diskBacking(good), [540], SOMETIMES)
  t.strictSame((await readdir(good)).sort(), ['1', 'current', 'snap-3', 'snap-4'])
  const table = (await readdir(join(good, 'snap-4'))).find((name) => name.endsWith('.ldb'))
  t.ok((await stat(join(good, 'snap-4', table ?? ''))).nlink > 1, 'tables are shared, not copied')
  const expected = await stateOf(await openOn(facts))
  const cases = [
    { harm: [], read: 21, left: ['1', 'current', 'snap-3', 'snap-4'] },
    { harm: ['1'], read: 51, left: ['2', 'current', 'snap-3', 'snap-4'] },
    { harm: ['1', 'snap-4'], read: 231, left: ['2', 'current', 'snap-3'] },
    { harm: ['1', 'snap-4', 'snap-3'], read: 560, left: ['2', 'current'] },
  ]
  for (const { harm, read, left } of cases) {
    const directory = await scratch(t)
    await cp(good, directory, { recursive: true })
    for (const name of harm) await writeFile(join(directory, name, 'CURRENT'), 'MANIFEST-999999\n')
    facts.replayed = 0
    const projections = await openOn(facts, diskBacking(directory), NEVER)
    t.equal(facts.replayed, read, `${harm.join(' ')}: facts read`)
    t.strictSame((await readdir(directory)).sort(), left, 'what is left')
    t.strictSame(await stateOf(projections), expected)
    await projections.close()
  }
})

t.test('a snapshot of another history is not taken for ours', async (t) => {
  const backing = memoryBacking()
  await livedThrough(longStory(300), backing, [200, 300])
  const other = longStory(150)
  for (let n = 0; n < 100; n++) other.append([letter(n + 900)], START)
  const projections = await openOn(other, backing)
  t.strictSame(await stateOf(projections), await stateOf(await openOn(other)))
  t.strictSame(await backing.snapshots(), [])
})

t.test('ES-2 a crash at any operation on files leaves a store, or a snapshot, or the log', async (t) => {
  const facts = longStory(40)
  const expected = await stateOf(await openOn(facts))
  const good = await scratch(t)
  await livedThrough(facts, diskBacking(good), [25, 30])
  for (let crashAt = 1; ; crashAt++) {
    const directory = await scratch(t)
    await cp(good, directory, { recursive: true })
    await writeFile(join(directory, '1', 'CURRENT'), 'MANIFEST-999999\n')
    const disk = crashing(nodeFileSystem, crashAt)
    await restoredAndClosed(facts, diskBacking(directory, disk.fs))
    const projections = await openOn(facts, diskBacking(directory), NEVER)
    t.strictSame(await stateOf(projections), expected, `crash at ${crashAt}`)
    await projections.close()
    const left = (await readdir(directory)).filter((name) => !/^(current(\.new)?|\d+|snap-\d+)$/.test(name))
    t.strictSame(left, [], 'leftovers')
    if (disk.operations() < crashAt) break
    t.ok(crashAt < 200)
  }
})

t.test('where there are no hard links, snapshots are copies', async (t) => {
  const fs = memoryFileSystem()
  fs.put('/1/000005.ldb', Buffer.from('table'))
  fs.put('/1/000006.log', Buffer.from('log'))
  fs.put('/1/LOG', Buffer.from('diary'))
  fs.put('/1/LOCK', Buffer.from(''))
  const linkless = { ...fs, link: () => Promise.reject(new Error('EPERM')) }
  await copyStore(linkless, '/1', '/snap-1')
  t.strictSame((await fs.readdir('/snap-1')).toSorted(), ['000005.ldb', '000006.log'])
  t.equal(fs.contents('/snap-1/000005.ldb').toString(), 'table')
})

t.test('ES-2 newer folds: the old rows are shown until the new ones are made', async (t) => {
  const facts = longStory(300)
  const backing = memoryBacking()
  await (await openOn(facts.truncated(250), backing, NEVER)).close()
  const newer = bumped('conversations')
  const told: number[] = []
  const gate = pausedAfter(facts, 120)
  const projections = await openOn(facts, backing, {
    folds: newer,
    onProgress: ({ done, total }) => told.push(done / total),
  })
  await gate.reached
  t.equal(projections.view.seq, 250, 'the old rows')
  t.equal(projections.view.conversation(BOB, { limit: 50 }).length, 50)
  t.ok(told.length > 0 && told.every((share) => share < 0.5), 'progress')
  t.equal(await backing.current(), 1)
  const group = facts.append([letter(300)], START + 9000)
  const applied = Promise.resolve(projections.apply(group.facts, group.link))
  t.equal(projections.view.seq, 250, 'new facts wait')
  const crashed = await openOn(facts.truncated(250), copyOf(backing), NEVER)
  t.equal(crashed.view.seq, 250, 'after a crash now the old store is still there')
  gate.open()
  await applied
  await projections.ready
  t.equal(projections.view.seq, 301)
  t.equal(projections.view.message(idOf(300))?.text, 'secret words 300')
  t.equal(await backing.current(), 2)
  t.strictSame(await backing.present(), [2])
  t.strictSame(await stateOf(projections), await stateOf(await openOn(facts, undefined, { folds: newer })))
})

t.test('newer folds: closed before the new rows are made, the old ones stay', async (t) => {
  const facts = longStory(200)
  const backing = memoryBacking()
  await (await openOn(facts, backing, NEVER)).close()
  const gate = pausedAfter(facts, 90)
  const projections = await openOn(facts, backing, { folds: bumped('conversations') })
  await gate.reached
  const closed = projections.close()
  gate.open()
  await closed
  await projections.ready
  t.equal(await backing.current(), 1)
  t.strictSame(await backing.present(), [1])
  const again = await openOn(facts, backing, { folds: bumped('conversations') })
  await again.ready
  t.equal(await backing.current(), 2)
})

t.test('newer folds that cannot be shown from old rows are folded before opening ends', async (t) => {
  const facts = longStory(100)
  const unreadable = FOLDS.map((fold) =>
    fold.name === 'self' ? { ...fold, version: fold.version + 2, readsFrom: fold.version + 1 } : fold,
  )
  const added = { name: 'added', number: 200, version: 1, on: {} } satisfies AnyFold
  for (const [what, folds, inBackground] of [
    ['not readable', unreadable, false],
    ['a new projection', [...FOLDS, added], false],
    ['a new projection that may be empty', [...FOLDS, { ...added, readsFrom: 0 }], true],
    ['a projection is no more', FOLDS.slice(0, -1), true],
  ] as const) {
    const backing = memoryBacking()
    await (await openOn(facts, backing, NEVER)).close()
    const projections = await openOn(facts, backing, { folds, ...NEVER })
    t.equal(await backing.current(), inBackground ? 1 : 2, what)
    await projections.ready
    t.equal(await backing.current(), 2, what)
  }
})

t.test('an error of the log while newer folds are run is told, and the old rows stay', async (t) => {
  const facts = longStory(100)
  const backing = memoryBacking()
  await (await openOn(facts, backing, NEVER)).close()
  facts.readFrames = () => {
    throw new Error('disk on fire')
  }
  const projections = await openOn(facts, backing, { folds: bumped('conversations') })
  await t.rejects(projections.ready, /disk on fire/)
  t.equal(projections.view.conversations().length, 2)
  t.equal(await backing.current(), 1)
})

t.test('ID-3 after a purge no file holds what a row was', async (t) => {
  const directory = await scratch(t)
  const backing = diskBacking(directory)
  const facts = longStory(300)
  facts.append([{ type: 'RecoverySeedKept', data: { seed: Buffer.alloc(32, 7) } }], START)
  await (await openOn(facts, backing, ALWAYS)).close()
  const before = await sealedValues(backing)
  forget(facts, 7)
  facts.append([{ type: 'BackupMade', data: { form: 'file' } } as Fact], START)
  await (await openOn(facts, backing, NEVER)).close()
  const replaced = notIn(await sealedValues(backing), before)
  t.ok(replaced.length >= 2, 'the page of the message, and the row of oneself')
  t.equal(holding(await filesBelow(directory), replaced), replaced.length, 'they stay until a purge')
  const projections = await openOn(facts, backing, NEVER)
  await projections.purge()
  t.equal(holding(await filesBelow(directory), replaced), 0, 'and then no more')
  t.strictSame(await backing.snapshots(), [], 'nor do snapshots')
  t.strictSame(await stateOf(projections), await stateOf(await openOn(facts)))
  await projections.close()
  t.strictSame(await stateOf(await openOn(facts, backing, NEVER)), await stateOf(await openOn(facts)))
})

t.test(
  'ID-3 what was written, replaced and deleted while open is purged too, wherever level has put it',
  async (t) => {
    const directory = await scratch(t)
    const database = await openOnDisk(directory)
    const key = (n: number) => Buffer.of(1, 7, 1, n)
    const value = (n: number, m: number) =>
      createHash('shake256', { outputLength: 5000 }).update(`row ${n}, version ${m}`).digest()
    const write = (n: number, m: number) => database.batch([{ type: 'put', key: key(n), value: value(n, m) }])
    for (let n = 0; n < 40; n++) for (let m = 0; m < 3; m++) await write(n, m)
    await database.batch([{ type: 'del', key: key(20) }])
    const old = Array.from({ length: 40 }, (_, n) => [
      value(n, 0),
      value(n, 1),
      ...(n === 20 ? [value(n, 2)] : []),
    ]).flat()
    t.equal(holding(await filesBelow(directory), old), old.length)
    await database.purge([Buffer.of(1, 7, 1)])
    t.equal(holding(await filesBelow(directory), old), 0, 'never anywhere but in the write-ahead log')
    for (let n = 0; n < 40; n++) await write(n, 3)
    await database.purge([key(5)])
    const files = await filesBelow(directory)
    t.equal(holding(files, [value(5, 2)]), 0, 'on the deepest level')
    t.ok(holding(files, [value(5, 3)]) === 1 && holding(files, [value(39, 3)]) === 1, 'what counts stays')
    t.strictSame(database.getSync(key(5)), value(5, 3))
    t.strictSame(database.getSync(key(20)), value(20, 3))
    await database.close()
  },
)

/** The folds as a later version of the program has them, one of them newer and able to read the older rows. */
function bumped(name: string): readonly AnyFold[] {
  return FOLDS.map((fold) =>
    fold.name === name ? { ...fold, version: fold.version + 1, readsFrom: fold.version } : fold,
  )
}

/** Reading from the beginning stops after so many facts until it is told to go on. */
function pausedAfter(facts: MemoryFacts, seq: number): { readonly reached: Promise<void>; open(): void } {
  let open: () => void = () => undefined
  let tell: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => (tell = resolve))
  const readFrames = facts.readFrames.bind(facts)
  facts.readFrames = async function* (from) {
    for await (const frame of readFrames(from)) {
      yield frame
      if (frame.at(-1)?.fact.seq !== seq) continue
      tell()
      await opened
    }
  }
  return { reached, open }
}

/** What a crash would leave: writes of the other do not show. */
function copyOf(backing: Backing): Backing {
  const copy = memoryBacking()
  return {
    ...copy,
    current: () => backing.current(),
    present: () => backing.present(),
    open: (n) => backing.open(n),
  }
}

async function forgetCheckpoints(backing: Backing, snapshot: number): Promise<void> {
  const n = 1_000
  await backing.restore(snapshot, n)
  const database = await backing.open(n)
  const keys: Buffer[] = []
  for await (const key of database.keys({ gte: Buffer.of(2), lt: Buffer.of(3) })) keys.push(key)
  await database.batch(keys.map((key) => ({ type: 'del', key })))
  await database.close()
  await backing.snapshot(n, snapshot)
  await backing.discard(n)
}

/** As a process that dies: from one operation on every one fails. */
function crashing(fs: FileSystem, at: number): { readonly fs: FileSystem; operations(): number } {
  let count = 0
  const step = <A extends unknown[], T>(work: (...args: A) => Promise<T>) => {
    return (...args: A): Promise<T> => (++count >= at ? Promise.reject(new Error('crashed')) : work(...args))
  }
  const faulty: FileSystem = {
    ...fs,
    open: step(async (path, mode) => {
      const file = await fs.open(path, mode)
      return {
        read: step((offset, length) => file.read(offset, length)),
        write: step((offset, bytes) => file.write(offset, bytes)),
        datasync: step(() => file.datasync()),
        truncate: (length) => file.truncate(length),
        size: () => file.size(),
        close: () => file.close(),
      }
    }),
    rename: step((from, to) => fs.rename(from, to)),
    link: step((from, to) => fs.link(from, to)),
    removeDirectory: step((path) => fs.removeDirectory(path)),
    syncDirectory: step((path) => fs.syncDirectory(path)),
    mkdir: step((path) => fs.mkdir(path)),
  }
  return { fs: faulty, operations: () => count }
}

/** Opening restores a snapshot, closing takes one; both may die on the way. */
async function restoredAndClosed(facts: MemoryFacts, backing: Backing): Promise<void> {
  const projections = await openOn(facts, backing, ALWAYS).catch(() => null)
  await projections?.close()
}

function forget(facts: MemoryFacts, n: number): void {
  const letters = [{ messageId: idOf(n), day: Math.floor((START + n * 7) / 86_400_000) }]
  facts.append([{ type: 'ContentForgotten', data: { letters, seqs: [n + 1], why: 'asked' } }], START)
}

/** Of the current store, closed: key in hex to sealed row or page. */
async function sealedValues(backing: Backing): Promise<Map<string, Buffer>> {
  const database = await backing.open((await backing.current()) ?? 0)
  const values = new Map<string, Buffer>()
  for await (const [key, value] of database.entries({ gte: Buffer.of(1), lt: Buffer.of(5) })) {
    if (key[0] === 1 || key[0] === 4) values.set(toHex(key), value)
  }
  await database.close()
  return values
}

function notIn(after: ReadonlyMap<string, Buffer>, before: ReadonlyMap<string, Buffer>): Buffer[] {
  return [...before]
    .filter(([key, value]) => after.get(key)?.equals(value) !== true)
    .map(([, value]) => value)
}

/** How many of the values can be found in the files, whole or in part. */
function holding(files: readonly Buffer[], values: readonly Buffer[]): number {
  const pieces = (value: Buffer) =>
    [0, value.length >> 1, value.length - 16].map((at) => value.subarray(at, at + 16))
  return values.filter((value) => pieces(value).some((piece) => files.some((file) => file.includes(piece))))
    .length
}

async function filesBelow(directory: string): Promise<Buffer[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))))
}

/** A directory of this test only, whoever else runs it at the same time. */
async function scratch(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-snapshots-'))
  t.teardown(() => rm(directory, { recursive: true }))
  return directory
}
