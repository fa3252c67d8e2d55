import fc from 'fast-check'
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import type { Fact } from '../src/events/vocabulary/facts.js'
import { FactStore } from '../src/events/store/fact-store.js'
import { toHex } from '../src/foundation/bytes.js'
import { isSottoError } from '../src/foundation/errors.js'
import { unpack } from '../src/foundation/pack.js'
import { pooledRng } from '../src/foundation/rng.js'
import { diskBacking, memoryBacking } from '../src/projections/engine/backing.js'
import type { Backing } from '../src/projections/engine/backing.js'
import { isDamage } from '../src/projections/engine/damage.js'
import { nameIn } from '../src/projections/engine/entry.js'
import { PackWriter } from '../src/projections/engine/pack-writer.js'
import type { Projections } from '../src/projections/engine.js'
import { FOLDS } from '../src/projections/folds.js'
import { MemoryFacts } from './fixtures/fact-source.js'
import { BOUNDED, PEOPLE, START, anyHistory } from './fixtures/histories.js'
import type { HistoryGroup } from './fixtures/histories.js'
import { ROOT, everythingIn, happened, openOn } from './fixtures/projected.js'

const [BOB = '', CAROL = ''] = PEOPLE
const CHECK_CODE = (n: number) => Buffer.from(n.toString(16).padStart(32, '0'), 'hex')

async function hashesOf(projections: Projections): Promise<readonly string[]> {
  return (await projections.hashes()).map(({ name, rows, hash }) => `${name} ${rows} ${toHex(hash)}`)
}

/** A history long enough for several pages and batches. */
function longStory(messages: number): MemoryFacts {
  const facts = new MemoryFacts()
  for (let n = 0; n < messages; n++) {
    const common = {
      messageId: toHex(CHECK_CODE(n)),
      checkCode: CHECK_CODE(n),
      sentAt: START + n * 7,
    } as const
    const words = { kind: 'text', body: { text: `secret words ${n}` } } as const
    const from = n % 2 === 0 ? BOB : CAROL
    facts.append(
      [{ type: 'MessageReceived', data: { ...common, ...words, from, how: 'link' } }],
      START + n * 7,
    )
  }
  return facts
}

/** Applies every group, flushing after some of them. */
async function live(
  history: readonly HistoryGroup[],
  backing: Backing,
  flushEvery: number,
): Promise<[MemoryFacts, Projections]> {
  const source = happened(history)
  const facts = new MemoryFacts()
  const projections = await openOn(facts, backing)
  for (const [i, group] of source.groups.entries()) {
    facts.groups.push(group)
    await projections.apply(group.facts, group.link)
    if (i % flushEvery === flushEvery - 1) await projections.flush()
  }
  return [facts, projections]
}

t.test('ES-2 rebuild = incremental = checkpoint and tail, for any history', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyHistory(), fc.integer({ min: 1, max: 30 }), async (history, flushEvery) => {
      const backing = memoryBacking()
      const [facts, incremental] = await live(history, backing, flushEvery)
      const expected = [everythingIn(incremental.view), await hashesOf(incremental)]
      // Neither closed nor flushed: as after a kill -9.
      const resumed = await openOn(facts, backing)
      assert.deepEqual([everythingIn(resumed.view), await hashesOf(resumed)], expected, 'checkpoint and tail')
      const rebuilt = await openOn(facts)
      assert.deepEqual([everythingIn(rebuilt.view), await hashesOf(rebuilt)], expected, 'rebuild')
      const forgetful = await openOn(new MemoryFacts(), memoryBacking(), { cacheBytes: 2000 })
      for (const [i, group] of facts.groups.entries()) {
        await forgetful.apply(group.facts, group.link)
        if (i % 2 === 0) await forgetful.flush()
      }
      const read = [everythingIn(forgetful.view), await hashesOf(forgetful)]
      assert.deepEqual(read, expected, 'with hardly any memory')
      assert.ok(
        (await resumed.replayCheck()).every(({ equal }) => equal),
        'replay check',
      )
    }),
    { numRuns: 25, ...BOUNDED },
  )
  t.pass('for all of them')
})

t.test('ES-2 the same facts twice, in other groups, give the same view', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyHistory(30), async (history) => {
      const facts = happened(history)
      const once = await openOn(facts)
      for (const { facts: again, link } of facts.groups) await once.apply(again, link)
      const regrouped = new MemoryFacts()
      for (const group of facts.groups) for (const fact of group.facts) regrouped.append([fact], fact.at)
      const other = await openOn(regrouped)
      assert.deepEqual(await hashesOf(once), await hashesOf(other))
    }),
    { numRuns: 30, ...BOUNDED },
  )
  t.pass('for all of them')
})

t.test('on disk: resumed from the checkpoint, and only the tail is read', async (t) => {
  const directory = await scratch(t)
  const facts = longStory(400)
  const first = await openOn(facts.truncated(300), diskBacking(directory))
  await first.close()
  const whole = await openOn(facts)
  facts.replayed = 0
  const second = await openOn(facts, diskBacking(directory))
  t.equal(facts.replayed, 101, 'the checkpointed fact to compare the link, and 100 after it')
  t.strictSame(everythingIn(second.view), everythingIn(whole.view))
  t.strictSame(await hashesOf(second), await hashesOf(whole))
  await second.close()
  t.strictSame((await readdir(directory)).sort(), ['1', 'current'])
})

t.test('ES-2 over the real log, killed at any moment and opened again', async (t) => {
  const fs = memoryFileSystem()
  const log = { directory: '/log', fs, root: ROOT, owner: Buffer.alloc(32, 3), rng: pooledRng(), lock: false }
  const backing = memoryBacking()
  const told = longStory(60).groups.map(({ facts }) =>
    facts.map(({ type, data }) => ({ type, data }) as Fact),
  )
  await (await FactStore.create(log)).close()
  for (let run = 0; run < 4; run++) {
    const store = await FactStore.open(log)
    const projections = await openOn(store, backing, { logId: store.logId })
    t.equal(projections.view.seq, run * 15)
    for (const [i, facts] of told.slice(run * 15, run * 15 + 15).entries()) {
      const appended = await store.appendLinked(facts, START + i)
      await projections.apply(appended.facts, appended.link)
      if (i === 7) await projections.flush()
    }
    t.equal(projections.view.conversations().length, 2)
    t.ok((await projections.replayCheck()).every(({ equal }) => equal))
    await store.close()
  }
  t.equal(await backing.current(), 1, 'never rebuilt')
})

t.test('on disk: a second opener is told that the profile is busy, and breaks nothing', async (t) => {
  const directory = await scratch(t)
  const facts = longStory(10)
  const first = await openOn(facts, diskBacking(directory))
  await t.rejects(openOn(facts, diskBacking(directory)), { code: 'profile-busy' })
  t.strictSame(await readdir(directory), ['1', 'current'])
  await first.close()
})

t.test('nothing in the directory is in the clear', async (t) => {
  const directory = await scratch(t)
  const facts = longStory(200)
  facts.append(
    [
      {
        type: 'FriendRequestReceived',
        data: {
          id: BOB,
          nickname: 'bob the builder',
          token: Buffer.alloc(32, 0xa5),
          endpoints: ['rendezvous.example:9'],
          certificate: Buffer.alloc(120, 0xb6),
          spki: Buffer.alloc(40, 0xc7),
          text: 'do you remember me',
        },
      },
      { type: 'SettingChanged', data: { key: 'refresh.interval', value: 'every-minute' } },
    ],
    START,
  )
  const projections = await openOn(facts, diskBacking(directory))
  t.equal(projections.view.contact(BOB)?.nickname, 'bob the builder')
  await projections.close()
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const stored = Buffer.concat(await Promise.all(files.map((name) => readFile(name))))
  t.ok(stored.length > 20_000)
  const secrets = [
    'secret words',
    'bob the',
    'remember',
    'rendezvous',
    'refresh',
    'every-minute',
    BOB,
    CAROL,
    'state',
    'MessageRe',
  ]
  for (const secret of secrets) t.notOk(stored.includes(secret), secret)
  for (const byte of [0xa5, 0xb6, 0xc7]) t.notOk(stored.includes(Buffer.alloc(16, byte)), `bytes ${byte}`)
  t.notOk(stored.includes(CHECK_CODE(7)), 'a check code')
  const time = Buffer.alloc(8)
  time.writeDoubleBE(START + 7)
  t.notOk(stored.includes(time.subarray(0, 6)), 'a time')
})

t.test('a store that lost or changed anything is noticed at opening and rebuilt', async (t) => {
  const facts = longStory(150)
  const expected = await hashesOf(await openOn(facts))
  const sabotage: Record<string, (backing: Backing) => Promise<void>> = {
    'a batch mark is gone': (backing) => deleteOne(backing, 0x03),
    'a row is gone': (backing) => deleteOne(backing, 0x01),
    'a page is gone': (backing) => deleteOne(backing, 0x04),
    'a place is gone': (backing) => deleteOne(backing, 0x05),
    'a checkpoint is gone': (backing) => deleteOne(backing, 0x02),
    'a bit of a checkpoint flipped': (backing) => changeOne(backing, 0x02, (value) => flipBit(value)),
    'a bit of a mark flipped': (backing) => changeOne(backing, 0x03, (value) => flipBit(value)),
    'the store id changed': (backing) => changeOne(backing, 0x00, (value) => flipBit(value)),
    'a mark is cut short': (backing) => changeOne(backing, 0x03, (value) => value.subarray(0, 3)),
  }
  for (const [what, harm] of Object.entries(sabotage)) {
    const backing = memoryBacking()
    const facts2 = facts.truncated(100)
    const before = await openOn(facts2, backing)
    for (const group of facts.groups.slice(100)) {
      facts2.groups.push(group)
      await before.apply(group.facts, group.link)
      await before.flush()
    }
    await before.close()
    await harm(backing)
    facts2.replayed = 0
    const after = await openOn(facts2, backing)
    t.equal(facts2.replayed, 150, `${what}: everything is replayed`)
    t.equal(await backing.current(), 2, `${what}: into a new store`)
    t.strictSame(await backing.present(), [2], `${what}: and the old one is removed`)
    t.strictSame(await hashesOf(after), expected, what)
  }
})

t.test('an unreadable row found later is healed from the log, in apply and in the view', async (t) => {
  const facts = longStory(150)
  const expected = everythingIn((await openOn(facts)).view)
  for (const harm of ['view', 'apply'] as const) {
    const backing = memoryBacking()
    const some = facts.truncated(149)
    await (await openOn(some, backing)).close()
    await changeAll(backing, 0x01, (value) => flipBit(value))
    const projections = await openOn(some, backing)
    const last = facts.groups[149]!
    if (harm === 'view') t.throws(() => projections.view.conversation(BOB), { code: 'projections-damaged' })
    some.groups.push(last)
    const healed = projections.apply(last.facts, last.link)
    t.type(healed, Promise, 'apply waits for the rebuild')
    await healed
    t.strictSame(everythingIn(projections.view), expected, harm)
    t.ok((await projections.replayCheck()).every(({ equal }) => equal))
    await projections.close()
    some.replayed = 0
    t.strictSame(everythingIn((await openOn(some, backing)).view), expected, 'and stays healed')
    t.ok(some.replayed <= 1, 'without another rebuild')
  }
})

t.test('damage met while writing, or purging, is healed from the log too', async (t) => {
  const facts = longStory(150)
  const expected = await hashesOf(await openOn(facts))
  for (const work of ['flush', 'purge'] as const) {
    const backing = memoryBacking()
    const some = facts.truncated(149)
    await (await openOn(some, backing)).close()
    await changeAll(backing, 0x04, (value) => flipBit(value))
    const projections = await openOn(some, backing)
    const last = facts.groups[149]!
    some.groups.push(last)
    t.equal(
      projections.apply(last.facts, last.link),
      undefined,
      'its neighbour is looked for only when it is written',
    )
    await projections[work]()
    t.equal(await backing.current(), 2, work)
    t.strictSame(await hashesOf(projections), expected)
    await projections.close()
    some.replayed = 0
    t.strictSame(await hashesOf(await openOn(some, backing)), expected, 'and stays healed')
    t.ok(some.replayed <= 1)
  }
})

t.test('rows that are read together lie together', async (t) => {
  const facts = longStory(2000)
  const backing = memoryBacking()
  const projections = await openOn(facts, backing)
  await projections.close()
  const again = await openOn(facts, backing)
  const database = await backing.open(1)
  const read = new Set<string>()
  const getSync = database.getSync.bind(database)
  database.getSync = (key) => {
    if (key[0] === 0x04) read.add(toHex(key))
    return getSync(key)
  }
  t.equal(again.view.conversation(BOB, { limit: 50 }).length, 50)
  t.ok(read.size >= 1 && read.size <= 2, `${read.size} pages for the newest 50 of every other message`)
})

t.test('what is written value by value reads as what was packed', (t) => {
  const anything = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ maxLength: 40 }),
      fc.constantFrom(31, 32, 63, 64, 255, 256, 65_535, 65_536).map((length) => 'x'.repeat(length)),
      fc.constantFrom(15, 31, 127, 255, 40_000).map((length) => 'ß'.repeat(length)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.constant(Buffer.alloc(70_000, 7)),
      fc.maxSafeNat(),
      fc.integer(),
      fc.constantFrom(127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1, 0.5),
      fc.boolean(),
      fc.constant(null),
    ),
    { maxLength: 20 },
  )
  const writer = new PackWriter()
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), anything, (name, values) => {
      writer.begin(name)
      writer.array(values.length)
      for (const value of values) {
        if (typeof value === 'string') writer.text(value)
        else if (typeof value === 'number') writer.number(value)
        else if (typeof value === 'boolean') writer.boolean(value)
        else if (value === null) writer.nothing()
        else writer.bytes(value)
      }
      const entry = writer.end()
      assert.equal(nameIn(entry), name)
      assert.deepEqual(unpack(entry.subarray(2 + Buffer.byteLength(name))), values)
    }),
    BOUNDED,
  )
  t.end()
})

t.test('replay check tells which projection is not what the log says', async (t) => {
  const facts = longStory(100)
  facts.append([{ type: 'SettingChanged', data: { key: 'rsa-each', value: true } }], START)
  let honest = false
  const twoFaced = FOLDS.map((fold) => {
    if (fold.name !== 'settings') return fold
    return {
      ...fold,
      on: { SettingChanged: (...args) => (honest ? fold.on.SettingChanged?.(...args) : undefined) },
    }
  }) satisfies typeof FOLDS
  const projections = await openOn(facts, memoryBacking(), { folds: twoFaced })
  t.ok((await projections.replayCheck()).every(({ equal }) => equal))
  honest = true
  const unequal = (await projections.replayCheck()).filter(({ equal }) => !equal)
  t.strictSame(
    unequal.map(({ name, rows }) => [name, rows]),
    [['settings', 2]],
  )
})

t.test('replay check calls a projection unequal that does not open', async (t) => {
  const backing = memoryBacking()
  const facts = longStory(100)
  await (await openOn(facts, backing)).close()
  const projections = await openOn(facts, backing)
  await changeAll(backing, 0x01, (value) => flipBit(value))
  const found = await projections.replayCheck()
  t.equal(found.length, FOLDS.length)
  t.notOk(found.find(({ name }) => name === 'messages')?.equal)
  await projections.rebuild()
  t.ok((await projections.replayCheck()).every(({ equal }) => equal))
})

t.test('rolled back, forked and restarted logs: the link decides', async (t) => {
  const facts = longStory(120)
  const rolledBack = facts.truncated(100)
  const forked = facts.truncated(100)
  const bob = { from: BOB, how: 'link', kind: 'text', body: { text: 'another story' } } as const
  for (let n = 0; n < 30; n++) {
    const letter = {
      messageId: toHex(CHECK_CODE(n + 900)),
      checkCode: CHECK_CODE(n + 900),
      sentAt: START + n,
    }
    forked.append([{ type: 'MessageReceived', data: { ...bob, ...letter } }], START + n)
  }
  for (const [what, other] of Object.entries({ rolledBack, forked, empty: new MemoryFacts() })) {
    const backing = memoryBacking()
    await (await openOn(facts, backing)).close()
    const reopened = await openOn(other, backing)
    t.equal(await backing.current(), 2, `${what}: rebuilt`)
    t.strictSame(await hashesOf(reopened), await hashesOf(await openOn(other)), what)
  }
})

t.test('a fold of another version, or another set of folds, rebuilds', async (t) => {
  const facts = longStory(50)
  const newer = FOLDS.map((fold) =>
    fold.name === 'messages' ? { ...fold, version: fold.version + 1 } : fold,
  )
  const fewer = FOLDS.slice(0, -1)
  for (const folds of [newer, fewer]) {
    const backing = memoryBacking()
    await (await openOn(facts, backing)).close()
    const other = await openOn(facts, backing, { folds })
    await other.ready
    await other.close()
    t.equal(await backing.current(), 2)
    await openOn(facts, backing, { folds })
    t.equal(await backing.current(), 2, 'once')
    const back = await openOn(facts, backing)
    t.equal(await backing.current(), 3, 'and back')
    t.strictSame(await hashesOf(back), await hashesOf(await openOn(facts)))
  }
})

t.test('damaged files of level are rebuilt, never an error', async (t) => {
  const facts = longStory(300)
  const expected = await hashesOf(await openOn(facts))
  const good = await storeOnDisk(t, facts)
  const files = (await readdir(join(good, '1'))).filter((name) =>
    /^CURRENT$|^MANIFEST|\.log$|\.ldb$/.test(name),
  )
  t.ok(files.some((name) => name.endsWith('.ldb')) && files.length >= 4, files.join(' '))
  const harms = { cut: cutShort, garbled: (bytes: Buffer) => bytes.fill(0x5a, bytes.length >> 1) }
  for (const name of ['current', ...files.map((file) => `1/${file}`)]) {
    for (const [how, harm] of Object.entries(harms)) {
      t.strictSame(await afterHarm(t, good, facts, name, harm), expected, `${name} ${how}`)
    }
  }
})

t.test('a bit flipped anywhere in the write-ahead log of level loses nothing', async (t) => {
  const facts = longStory(40)
  const expected = await hashesOf(await openOn(facts))
  const good = await scratch(t)
  const source = facts.truncated(0)
  const projections = await openOn(source, diskBacking(good))
  for (const group of facts.groups) {
    source.groups.push(group)
    await projections.apply(group.facts, group.link)
    if (group.facts[0]!.seq % 4 === 0) await projections.flush()
  }
  await projections.close()
  const log = (await readdir(join(good, '1'))).find((name) => name.endsWith('.log'))
  const places = 24
  for (let n = 0; n < places; n++) {
    const flip = (bytes: Buffer) => flipBit(bytes, Math.floor((bytes.length * (n + 0.5)) / places))
    t.strictSame(await afterHarm(t, good, facts, `1/${String(log)}`, flip), expected, `place ${n}`)
  }
})

t.test('leftovers of a crash are swept, whichever moment it struck', async (t) => {
  const directory = await scratch(t)
  const facts = longStory(50)
  await (await openOn(facts, diskBacking(directory))).close()
  await mkdir(join(directory, '2'))
  await mkdir(join(directory, '17'))
  await writeFile(join(directory, 'current.new'), '17')
  facts.replayed = 0
  const projections = await openOn(facts, diskBacking(directory))
  t.equal(facts.replayed, 0)
  await projections.rebuild()
  await projections.close()
  t.strictSame((await readdir(directory)).sort(), ['2', 'current'])
  t.equal(await readFile(join(directory, 'current'), 'utf8'), '2')
})

t.test('facts go on during a rebuild and a replay check, and are neither lost nor shown late', async (t) => {
  const facts = longStory(120)
  const some = facts.truncated(100)
  const projections = await openOn(some)
  const works = [projections.rebuild(), projections.replayCheck()] as const
  for (const group of facts.groups.slice(100)) {
    some.groups.push(group)
    t.equal(projections.apply(group.facts, group.link), undefined, 'synchronous')
    t.equal(projections.view.seq, some.head.seq)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await works[0]
  t.ok((await works[1]).every(({ equal }) => equal))
  t.strictSame(await hashesOf(projections), await hashesOf(await openOn(facts)))
})

t.test('in the middle of a commit group facts are visible, and no checkpoint is taken', async (t) => {
  const facts = new MemoryFacts()
  const backing = memoryBacking()
  const projections = await openOn(facts, backing)
  const { facts: stored, link } = facts.append(
    [
      { type: 'TrackerAdded', data: { url: 'sotto-tracker://192.0.2.1:1/K' } },
      { type: 'TrackerAdded', data: { url: 'sotto-tracker://192.0.2.2:1/K' } },
    ],
    START,
  )
  await projections.apply(stored.slice(0, 1), null)
  t.equal(projections.view.trackers().length, 1)
  await projections.flush()
  const killed = await openOn(facts, backing)
  t.equal(killed.view.trackers().length, 2, 'the whole group is replayed')
  t.equal(facts.replayed, 2, 'nothing of it was checkpointed')
  await projections.apply(stored.slice(1), link)
  t.equal(projections.view.trackers().length, 2)
})

t.test('background flushes: by number and by time', async (t) => {
  const facts = longStory(60)
  const some = facts.truncated(0)
  const backing = memoryBacking()
  const projections = await openOn(some, backing, { flushAfter: { facts: 20, ms: 5 } })
  for (const group of facts.groups) {
    some.groups.push(group)
    void projections.apply(group.facts, group.link)
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  some.replayed = 0
  await openOn(some, backing)
  t.ok(some.replayed <= 1, 'nothing was left to replay after a kill')
})

t.test('errors of the log are passed on, and the store is kept', async (t) => {
  const facts = longStory(20)
  const backing = memoryBacking()
  await (await openOn(facts.truncated(10), backing)).close()
  facts.readFrames = () => {
    throw new Error('disk on fire')
  }
  await t.rejects(openOn(facts, backing), /disk on fire/)
  t.equal(await backing.current(), 1)
  t.ok((await backing.present()).includes(1))
  t.notOk(isSottoError(new Error('disk on fire')))
})

/** A store that was opened twice, so that level keeps tables beside its write-ahead log. */
async function storeOnDisk(t: Test, facts: MemoryFacts): Promise<string> {
  const directory = await scratch(t)
  await (await openOn(facts.truncated(200), diskBacking(directory))).close()
  await (await openOn(facts, diskBacking(directory))).close()
  return directory
}

/** What projections come to when a file of a copy of the store was harmed; what opens badly may show when read. */
async function afterHarm(
  t: Test,
  good: string,
  facts: MemoryFacts,
  name: string,
  harm: (bytes: Buffer) => Buffer,
): Promise<readonly string[]> {
  const directory = await scratch(t)
  await cp(good, directory, { recursive: true })
  await writeFile(join(directory, name), harm(await readFile(join(directory, name))))
  const projections = await openOn(facts, diskBacking(directory))
  const hashes = await hashesOf(projections).catch(async (error: unknown) => {
    t.ok(isDamage(error), `${name}: noticed when read`)
    await projections.rebuild()
    return hashesOf(projections)
  })
  await projections.close()
  return hashes
}

/** A directory of this test only, whoever else runs it at the same time. */
async function scratch(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-projections-'))
  t.teardown(() => rm(directory, { recursive: true }))
  return directory
}

function cutShort(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length >> 2)
}

function flipBit(value: Buffer, at = value.length >> 1): Buffer {
  const out = Buffer.from(value)
  out[at] = (out[at] ?? 0) ^ 1
  return out
}

async function entriesOf(backing: Backing, prefix: number) {
  const database = await backing.open((await backing.current()) ?? 0)
  const entries: [Buffer, Buffer][] = []
  const range = { gte: Buffer.of(prefix), lt: Buffer.of(prefix + 1) }
  for await (const entry of database.entries(range)) entries.push(entry)
  return { database, entries }
}

async function deleteOne(backing: Backing, prefix: number): Promise<void> {
  const { database, entries } = await entriesOf(backing, prefix)
  await database.batch([{ type: 'del', key: entries[entries.length >> 1]![0] }])
}

async function changeOne(backing: Backing, prefix: number, change: (value: Buffer) => Buffer): Promise<void> {
  const { database, entries } = await entriesOf(backing, prefix)
  const [key, value] = entries[entries.length >> 1]!
  await database.batch([{ type: 'put', key, value: change(value) }])
}

async function changeAll(backing: Backing, prefix: number, change: (value: Buffer) => Buffer): Promise<void> {
  const { database, entries } = await entriesOf(backing, prefix)
  await database.batch(entries.map(([key, value]) => ({ type: 'put', key, value: change(value) })))
}
