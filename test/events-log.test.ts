import fc from 'fast-check'
import t from 'tap'
import type { FileSystem } from '../src/events/file-system/file-system.js'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { type Group, encodeGroups } from '../src/events/log/frame-plaintext.js'
import { FrameWalk } from '../src/events/log/frame-walk.js'
import { sealFrame } from '../src/events/log/frame.js'
import { type NewRecord, auditLog, createLog, openLog } from '../src/events/log/index.js'
import { Linker, genesis } from '../src/events/log/chain.js'
import { firstBoundary } from '../src/events/log/anchor.js'
import { Scratch } from '../src/events/log/scratch.js'
import { drawSegmentKeys } from '../src/events/log/segment-header.js'
import { FactStore } from '../src/events/store/fact-store.js'
import { decodeFact, encodeFact } from '../src/events/vocabulary/codec.js'
import type { Fact } from '../src/events/vocabulary/facts.js'
import { REGISTRY } from '../src/events/vocabulary/registry.js'
import { type Fields, upcast } from '../src/events/vocabulary/upcasters.js'
import { concat, toHex, u16, u64, utf8 } from '../src/foundation/bytes.js'
import { sha256 } from '../src/foundation/crypto.js'
import { systemRng } from '../src/foundation/rng.js'
import { type Operation, faultyFileSystem, systemError } from './fixtures/faulty-file-system.js'
import { LOG_DIRECTORY, imageOf, logOptions, readAll, record, reopened, textsOf } from './fixtures/logs.js'

const KEYRING = `${LOG_DIRECTORY}/keyring`

const newRecord: fc.Arbitrary<NewRecord> = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  version: fc.integer({ min: 0, max: 0xffff }),
  at: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  body: fc.uint8Array({ maxLength: 300 }),
})
const history = fc.array(fc.array(newRecord, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 })

const plain = ({ type, version, at, body }: NewRecord) => ({ type, version, at, body: toHex(body) })

t.test('ES-1 what is appended is read back identical, now and after reopening', async (t) => {
  const property = fc.asyncProperty(
    history,
    fc.integer({ min: 400, max: 2000 }),
    async (groups, segmentBytes) => {
      const fs = memoryFileSystem()
      const options = logOptions(fs, { segmentBytes })
      const log = await createLog(options)
      for (const group of groups) await log.append(group)
      const written = groups.flat().map(plain)
      t.same((await readAll(log)).map(plain), written)
      const { head } = log
      await log.close()

      const again = await openLog(options)
      const records = await readAll(again)
      t.same(records.map(plain), written)
      t.same(
        records.map(({ seq }) => seq),
        written.map((_, i) => i + 1),
        'seq has no gaps',
      )
      t.same(again.head, head)
      t.equal(again.recovered, null)
      const middle = Math.ceil(written.length / 2)
      t.same((await readAll(again, middle)).map(plain), written.slice(middle - 1), 'from the middle on')
      await again.close()
      t.match(await auditLog(options), { ok: true, events: written.length, seq: head.seq, link: head.link })
    },
  )
  await fc.assert(property, { numRuns: 30 })
})

t.test('the chain is of the groups alone, whatever the segments, frames and keys', async (t) => {
  const links = async (groups: readonly Group[], segmentBytes: number, together: boolean) => {
    const fs = memoryFileSystem()
    const log = await createLog(logOptions(fs, { segmentBytes, rng: zeros }))
    const appends = groups.map((group) => () => log.append(group))
    const ends = together
      ? await Promise.all(appends.map((append) => append()))
      : await appends.reduce<Promise<Appends>>(
          async (all, append) => [...(await all), await append()],
          Promise.resolve([]),
        )
    const read = (await readAll(log)).flatMap(({ seq, link }) => (link === null ? [] : [[seq, toHex(link)]]))
    t.same(
      read,
      ends.map(({ seq, link }) => [seq, toHex(link)]),
      'a read tells the link of each append',
    )
    await log.close()
    return read
  }
  const property = fc.asyncProperty(history, async (groups) => {
    const one = await links(groups, 1 << 20, false)
    t.same(await links(groups, 400, false), one, 'one frame a segment')
    t.same(await links(groups, 1 << 20, true), one, 'many groups a frame')
  })
  await fc.assert(property, { numRuns: 15 })
})

/** The same salts and log ID in every log. */
const zeros = { bytes: (length: number) => Buffer.alloc(length) }

type Appends = Awaited<ReturnType<Awaited<ReturnType<typeof createLog>>['append']>>[]

t.test('links are what the specification says', async (t) => {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs, { rng: { bytes: (length) => Buffer.alloc(length, 3) } }))
  const one = record('one', 1_000)
  const two = record('two', 999)
  const appended = await log.append([one, two])
  const start = sha256(utf8('sotto/genesis/1'), Buffer.alloc(16, 3), Buffer.alloc(32, 9))
  const part = (seq: number, { at, type, version, body }: NewRecord) =>
    concat(
      u64(seq),
      u64(at),
      u16(type),
      u16(version),
      sha256(utf8('sotto/body/1'), Buffer.alloc(16, 3), body),
    )
  t.same(appended, {
    firstSeq: 1,
    seq: 2,
    link: sha256(utf8('sotto/link/1'), start, part(1, one), part(2, two)),
  })
  t.same(log.head, { seq: 2, link: appended.link })
  await log.close()
})

t.test('several groups in a frame and erased records are understood', async (t) => {
  const keys = drawSegmentKeys(Buffer.alloc(16, 1), systemRng)
  const entry = {
    number: 1,
    segmentId: keys.segmentId,
    firstSeq: 1,
    previousLink: genesis(keys.logId, Buffer.alloc(32)),
  }
  const start = firstBoundary(entry)
  const groups = [[record('kept'), record('forgotten')], [record('last')]]
  const { plaintext, ends } = encodeGroups(groups, start, new Linker(), systemRng, new Scratch())
  const erased = erase(Buffer.from(plaintext), 'forgotten')
  const frame = sealFrame(keys, start, erased, new Scratch())
  const file = {
    read: (offset: number, length: number) => {
      const from = offset - start.offset
      return Promise.resolve(Buffer.from(frame.subarray(from, from + length)))
    },
  } as Awaited<ReturnType<FileSystem['open']>>
  const walk = new FrameWalk({
    entry,
    keys,
    file,
    size: start.offset + frame.length,
    slots: ['empty', 'empty'],
  })
  const records = await walk.next()
  t.same(
    records?.map(({ seq, erased, body, link }) => [seq, erased, Buffer.from(body).toString(), link]),
    [
      [1, false, 'kept', null],
      [2, true, '', ends[0]?.link],
      [3, false, 'last', ends[1]?.link],
    ],
    'every link given before still holds',
  )
  t.equal(await walk.next(), null)
})

/** The frame without a body: salt and body give way to their commitment. */
function erase(plaintext: Buffer, text: string): Buffer {
  const body = plaintext.indexOf(text)
  const salted = body - 16
  const end = body + text.length
  const commitment = sha256(utf8('sotto/body/1'), plaintext.subarray(salted, end))
  const size = Buffer.of(2 * 32 + 1)
  return concat(plaintext.subarray(0, salted - 1), size, commitment, plaintext.subarray(end))
}

t.test('appends that come together share a frame and an fdatasync', async (t) => {
  let syncs = 0
  const fs = faultyFileSystem(memoryFileSystem(), (operation) => {
    if (operation === 'datasync') syncs++
    return null
  })
  const log = await createLog(logOptions(fs))
  await log.append([record('the segment is there')])
  syncs = 0
  const names = Array.from({ length: 16 }, (_, i) => `parallel ${i}`)
  const appended = await Promise.all(names.map((name) => log.append([record(name)])))
  t.equal(syncs, 1, 'sixteen appends, one fdatasync')
  t.same(
    appended.map(({ seq }) => seq),
    names.map((_, i) => i + 2),
    'in order',
  )
  t.equal(new Set(appended.map(({ link }) => toHex(link))).size, 16, 'each its own group')
  t.same(await textsOf(log, 2), names)
  syncs = 0
  await Promise.all(Array.from({ length: 600 }, (_, i) => log.append([record(`many ${i}`)])))
  t.equal(syncs, 3, 'a frame takes 256 records')
  await log.close()
})

t.test('an idle log claims its last commit, and only then', async (t) => {
  let idle: () => void = () => t.fail('no idle claim was asked for')
  const fs = memoryFileSystem()
  const after = (_: number, then: () => void) => {
    idle = then
    return () => undefined
  }
  const log = await createLog(logOptions(fs, { after }))
  await log.append([record('one')])
  await log.append([record('two')])
  const segment = `${LOG_DIRECTORY}/00000001.seg`
  const cutOne = async () => {
    const image = memoryFileSystem()
    for (const [path, bytes] of imageOf(fs)) image.put(path, path === segment ? bytes.subarray(0, -1) : bytes)
    return reopened(logOptions(image))
  }
  t.match(
    await cutOne(),
    { recovered: { ambiguous: true }, texts: ['one'] },
    'busy: the last commit may be unmade',
  )
  idle()
  await log.close()
  await t.rejects(cutOne(), { code: 'log-corrupt' }, 'idle: it was made, so it is missing')
})

t.test('a second writer is refused, a reader is not', async (t) => {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs, { segmentBytes: 600 }))
  await log.append([record('one')])
  await t.rejects(openLog(logOptions(fs)), { code: 'log-busy' })
  await t.rejects(createLog(logOptions(fs)), { code: 'log-busy' })
  const reader = await openLog(logOptions(fs, { readOnly: true }))
  t.same(await textsOf(reader), ['one'])
  await t.rejects(reader.append([record('no')]), { code: 'log-closed' })
  await log.append([record('two')])
  t.same(await textsOf(reader), ['one'], 'it reads what was there when it was opened')
  t.match(await auditLog(logOptions(fs)), { ok: true, events: 2 }, 'an audit beside the writer')
  await reader.close()
  await log.close()
  await t.rejects(createLog(logOptions(fs)), { code: 'profile-exists' })
})

t.test('readers beside a busy writer always see a whole beginning', async (t) => {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs, { segmentBytes: 700 }))
  let written = 0
  const writing = (async () => {
    for (; written < 120; written++) await log.append([record(`letter ${written}`)])
  })()
  for (let i = 0; i < 12; i++) {
    const before = written
    const { texts, recovered } = await reopened(logOptions(fs, { readOnly: true }))
    t.equal(recovered, null)
    t.ok(texts.length >= before, 'everything acknowledged before')
    t.same(
      texts,
      texts.map((_, n) => `letter ${n}`),
    )
    const audit = await auditLog(logOptions(fs))
    t.same(audit.problems, [])
  }
  await writing
  await log.close()
})

t.test('a log opens with its own root and owner only', async (t) => {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs))
  await log.close()
  await log.close()
  await t.rejects(openLog(logOptions(fs, { root: Buffer.alloc(32, 8) })), { code: 'log-unopened' })
  await t.rejects(openLog(logOptions(fs, { owner: Buffer.alloc(32, 8) })), { code: 'log-unopened' })
  t.match(await auditLog(logOptions(fs, { root: Buffer.alloc(32, 8) })), {
    ok: false,
    problems: [{ code: 'keyring' }],
  })
  await t.rejects(log.append([record('late')]), { code: 'log-closed' })
  fs.put(KEYRING, fs.contents(KEYRING).fill(0, 0, 8))
  await t.rejects(openLog(logOptions(fs)), { code: 'log-unopened' })
})

t.test('what does not fit is refused before anything is written', async (t) => {
  const log = await createLog(logOptions(memoryFileSystem()))
  const big = { ...record(''), body: Buffer.alloc((1 << 20) + 1) }
  await t.rejects(log.append([big]), { code: 'too-large' })
  const full = { ...record(''), body: Buffer.alloc(1 << 20) }
  await t.rejects(log.append([full, full, full, full]), { code: 'too-large' })
  await t.rejects(log.append([]), { code: 'malformed' })
  await t.rejects(log.append([{ ...record('x'), at: -1 }]), { code: 'malformed' })
  await t.rejects(log.append([{ ...record('x'), type: 65536 }]), { code: 'malformed' })
  await log.append([full, full, full])
  t.equal(log.head.seq, 3)
  t.equal((await readAll(log))[2]?.body.length, 1 << 20)
  await log.close()
})

for (const [what, code] of [
  ['write', 'ENOSPC'],
  ['datasync', 'EIO'],
] as const) {
  t.test(
    `a failed ${what} ends the log for good, and reopening finds all that was acknowledged`,
    async (t) => {
      const inner = memoryFileSystem()
      let broken = false
      let failures = 0
      const fault = (operation: Operation) => {
        if (!broken || operation !== what) return null
        failures++
        return systemError(code)
      }
      const log = await createLog(logOptions(faultyFileSystem(inner, fault)))
      await log.append([record('safe')])
      broken = true
      const waiting = [log.append([record('lost')]), log.append([record('lost too')])]
      await Promise.resolve()
      await Promise.resolve()
      waiting.push(log.append([record('queued meanwhile')]))
      for (const outcome of await Promise.allSettled(waiting)) {
        t.match(outcome, { status: 'rejected', reason: { code: 'log-failed', cause: { code } } })
      }
      broken = false
      const before = failures
      await t.rejects(log.append([record('never retried')]), { code: 'log-failed' })
      t.equal(failures, before)
      t.same(await textsOf(log), ['safe'], 'reading goes on')
      await log.close()
      const { texts } = await reopened(logOptions(inner))
      t.equal(texts[0], 'safe')
      t.ok([1, 3].includes(texts.length), 'a commit is there whole or not at all')
      t.notOk(texts.includes('never retried'))
    },
  )
}

t.test('a disk that does not give the bytes is corruption with its place, not a crash', async (t) => {
  const inner = memoryFileSystem()
  const log = await createLog(logOptions(inner))
  await log.append([record('one')])
  await log.close()
  for (const file of ['00000001.seg', 'manifest', 'keyring']) {
    const fault = (operation: Operation, path: string) =>
      operation === 'read' && path.endsWith(file) ? systemError('EIO') : null
    const fs = faultyFileSystem(inner, fault)
    await t.rejects(openLog(logOptions(fs)), { code: 'log-corrupt' }, file)
    t.match(await auditLog(logOptions(fs)), { ok: false, problems: [{ code: 'unreadable' }] }, file)
  }
})

t.test(
  'a system that refuses (no file descriptor, no memory, no permission) is not taken for damage',
  async (t) => {
    const inner = memoryFileSystem()
    const log = await createLog(logOptions(inner))
    await log.append([record('one')])
    await log.close()
    const whole = await auditLog(logOptions(inner))
    let left = 0
    for (const code of ['EMFILE', 'ENOMEM', 'EACCES'] as const) {
      for (const [operation, file] of [
        ['open', '00000001.seg'],
        ['read', '00000001.seg'],
        ['open', 'manifest'],
        ['read', 'keyring'],
      ]) {
        const fault = (asked: Operation, path: string) =>
          asked === operation && path.endsWith(file ?? '') && left-- <= 0 ? systemError(code) : null
        const options = { ...logOptions(faultyFileSystem(inner, fault)), readOnly: true }
        const refused = { code: 'log-unavailable', exitCode: 1, message: new RegExp(code) }
        left = 0
        await t.rejects(auditLog(options), refused, `${code} ${operation} ${file}: the audit says so`)
        left = 0
        await t.rejects(openLog(options), refused, `${code} ${operation} ${file}: so does opening`)
      }
    }
    t.same(await auditLog(logOptions(inner)), whole, 'nothing was changed')
  },
)

t.test('a full disk is told by that name', async (t) => {
  const inner = memoryFileSystem()
  let full = false
  const fault = (asked: Operation) => (full && asked === 'write' ? systemError('ENOSPC') : null)
  const options = logOptions(faultyFileSystem(inner, fault))
  const log = await createLog(options)
  await log.append([record('one')])
  full = true
  await t.rejects(log.append([record('two')]), { code: 'log-failed', message: /the disk is full/ })
  await log.close()
  await t.rejects(openLog(options), { code: 'disk-full', exitCode: 7 })
  t.same(await textsOf(await openLog({ ...options, readOnly: true })), ['one'], 'reading needs no room')
  await t.rejects(createLog({ ...options, directory: '/bob/log' }), { code: 'disk-full' })
})

const fact = (type: Fact['type'], data: unknown) => ({ type, data }) as Fact

t.test('ES-1 ID-3 every kind of fact has a number of its own and comes back as it was', (t) => {
  const codes = Object.values(REGISTRY).map(({ code }) => code)
  t.equal(new Set(codes).size, codes.length)
  const value = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.integer(),
    fc.constant(null),
    fc.integer({ min: 2 ** 33, max: 2 ** 48 }),
  )
  const leaf = fc.oneof(value, fc.uint8Array(), fc.array(fc.string(), { maxLength: 4 }))
  const data = fc.dictionary(fc.stringMatching(/^[a-z]{1,12}$/), leaf)
  const types = Object.keys(REGISTRY) as Fact['type'][]
  const property = fc.property(fc.constantFrom(...types), data, (type, data) => {
    const stored = decodeFact({ ...encodeFact(fact(type, data)), seq: 4, at: 5, erased: false })
    t.match(stored, { seq: 4, at: 5, type })
    t.same(comparable(stored.data), comparable(data))
  })
  fc.assert(property, { numRuns: 200 })
  t.end()
})

function comparable(data: object): unknown {
  const entries = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, value]: [string, unknown]) => [
    key,
    value instanceof Uint8Array ? toHex(value) : value,
  ])
}

t.test('facts of a newer sotto are named, older ones are brought up to date', (t) => {
  const body = encodeFact(fact('LoggedOut', {})).body
  const stored = { seq: 9, at: 1, type: REGISTRY.LoggedOut.code, version: 1, body, erased: false }
  const unknown = { code: 'unknown-event', message: /record 9/ }
  t.throws(() => decodeFact({ ...stored, type: 999 }), unknown)
  t.throws(() => decodeFact({ ...stored, version: 2 }), unknown)
  t.throws(() => decodeFact({ ...stored, version: 0 }), unknown)
  t.same(decodeFact({ ...stored, erased: true }), {
    seq: 9,
    at: 1,
    type: 'Erased',
    data: { of: 'LoggedOut' },
  })
  t.throws(() => decodeFact({ ...stored, body: Buffer.of(5) }), { code: 'malformed' })
  const steps = [(data: Fields) => ({ ...data, b: 2 }), (data: Fields) => ({ was: data })]
  t.same(upcast(steps, 1, { a: 1 }), { was: { a: 1, b: 2 } })
  t.same(upcast(steps, 2, { a: 1 }), { was: { a: 1 } })
  t.same(upcast(steps, 3, { a: 1 }), { a: 1 })
  t.end()
})

t.test('ES-1 ID-3 the fact store keeps facts in groups, with the link after each', async (t) => {
  const fs = memoryFileSystem()
  const store = await FactStore.create(logOptions(fs))
  t.same(await store.append([], 1), [])
  const both = [fact('TrackerAdded', { url: 'one' }), fact('TrackerAdded', { url: 'two' })]
  const [first, second] = await Promise.all([
    store.appendLinked(both, 77),
    store.appendLinked([fact('LoggedOut', {})], 78),
  ])
  t.same(first.facts, [
    { seq: 1, at: 77, type: 'TrackerAdded', data: { url: 'one' } },
    { seq: 2, at: 77, type: 'TrackerAdded', data: { url: 'two' } },
  ])
  await store.close()

  const again = await FactStore.open(logOptions(fs))
  t.same(again.logId, store.logId)
  t.equal(again.recovered, null)
  const read = []
  for await (const each of again.read()) read.push(each)
  t.same(
    read.map((each) => each.fact),
    [...first.facts, ...second.facts],
  )
  t.same(
    read.map(({ link }) => link),
    [null, first.link, second.link],
  )
  t.same(again.head, { seq: 3, link: second.link })
  await again.close()
})
