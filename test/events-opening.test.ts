import { mkdir, open } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { type OpenLogOptions, auditLog, createLog, openLog } from '../src/events/log/index.js'
import { FactStore } from '../src/events/store/fact-store.js'
import type { Fact } from '../src/events/vocabulary/facts.js'
import { isSottoError } from '../src/foundation/errors.js'
import { systemRng } from '../src/foundation/rng.js'
import { startDaemon } from '../src/profile/daemon.js'
import { openProfile } from '../src/profile/open.js'
import { pathsOf } from '../src/profile/paths.js'
import { changed } from './fixtures/damage.js'
import { fixtureIdentity } from './fixtures/identities.js'
import { type Image, LOG_DIRECTORY, diskWith, imageOf, logOptions, record, textsOf } from './fixtures/logs.js'
import { NOON, certificateOf } from './fixtures/people.js'

const HEAD_BYTES = 384
const SEGMENTS = 5
/** Of some segment: its frames are of these texts, one each. */
const FRAMES = 4
const texts = Array.from({ length: SEGMENTS * FRAMES }, (_, i) => `letter ${String(i).padStart(4, '0')}`)

const segment = (n: number) => `${LOG_DIRECTORY}/${String(n).padStart(8, '0')}.seg`
const NEWEST = segment(SEGMENTS)
const frameBytes = (image: Image) => (image.get(segment(1))!.length - HEAD_BYTES) / FRAMES

/** Segments of four frames of one record each; `closed` or as a process leaves them that dies. */
async function written({ closed }: { closed: boolean }): Promise<Image> {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs, { merge: 'off' }))
  for (const [i, text] of texts.entries()) {
    if (i > 0 && i % FRAMES === 0) await log.rotate()
    await log.append([record(text)])
  }
  const image = imageOf(fs)
  await log.close()
  return closed ? imageOf(fs) : image
}

interface Opened {
  readonly code?: string
  readonly told?: unknown
  readonly texts?: readonly string[]
  /** All files as they are afterwards. */
  readonly after: Image
}

/** What opening, appending and reading come to. */
async function opened(image: Image, walkBytes: number): Promise<Opened> {
  const fs = diskWith(image)
  try {
    const log = await openLog(logOptions(fs, { walkBytes, merge: 'off' }))
    try {
      await log.append([record('and on it goes')])
      return { told: log.recovered, texts: await textsOf(log), after: imageOf(fs) }
    } finally {
      await log.close()
    }
  } catch (error) {
    if (!isSottoError(error)) throw error
    return { code: error.code, told: error.message, after: imageOf(fs) }
  }
}

const looking = (image: Image, walkBytes: number): OpenLogOptions =>
  logOptions(diskWith(image), { walkBytes, merge: 'off' })

/** What opening alone comes to. */
async function verdict(image: Image, walkBytes: number): Promise<string> {
  try {
    const log = await openLog(looking(image, walkBytes))
    await log.close()
    return 'opens'
  } catch (error) {
    if (!isSottoError(error)) throw error
    return `${error.code} ${error.message}`
  }
}

t.test(
  'ES-1 a flipped bit in an old frame: not seen by a short look, but by reading, audit and scrub',
  async (t) => {
    const image = await written({ closed: true })
    const size = frameBytes(image)
    for (let n = 1; n <= SEGMENTS; n++) {
      for (let frame = 0; frame < FRAMES; frame++) {
        const offset = HEAD_BYTES + frame * size
        const flipped = changed(image, segment(n), (bytes) =>
          bytes.fill(bytes[offset + 9]! ^ 4, offset + 9, offset + 10),
        )
        const found = { segment: n, offset, code: 'frame' }
        await t.rejects(openLog(looking(flipped, Infinity)), { code: 'log-corrupt' })
        const log = await openLog(looking(flipped, 0))
        t.equal(log.head.seq, texts.length, `segment ${n}, frame ${frame}: opens`)
        t.same(await log.scrub(), [found])
        await t.rejects(textsOf(log), { code: 'log-corrupt', problem: found })
        const behind = (n - 1) * FRAMES + FRAMES + 1
        t.same(await textsOf(log, behind), texts.slice(behind - 1), 'what is behind the segment is read')
        await log.close()
        t.match(await auditLog(looking(flipped, 0)), { ok: false, problems: [found] })
      }
    }
  },
)

t.test('the newest segments that fit into the bytes to walk are walked whole', async (t) => {
  const image = await written({ closed: true })
  const size = image.get(NEWEST)!.length
  for (const [walkBytes, walked] of [
    [size - 1, 0],
    [size, 1],
    [2 * size - 1, 1],
    [3 * size, 3],
  ] as const) {
    for (let n = 1; n <= SEGMENTS; n++) {
      const flipped = changed(image, segment(n), (bytes) => bytes.fill(bytes[500]! ^ 1, 500, 501))
      const [seen] = (await verdict(flipped, walkBytes)).split(' ', 1)
      t.equal(seen, n > SEGMENTS - walked ? 'log-corrupt' : 'opens', `${walkBytes} bytes, segment ${n}`)
    }
  }
})

t.test(
  'ES-1 every cut, wrong header, wrong slot and missing or swapped segment is seen by a short look',
  async (t) => {
    const image = await written({ closed: true })
    const same = async (damaged: Image, what: string) => {
      const short = await verdict(damaged, 0)
      if (short !== (await verdict(damaged, Infinity))) t.fail(`${what}: ${short}`)
      return short.split(' ', 1)[0]
    }
    const seen = new Map<string, number>()
    const count = (code: string | undefined) => seen.set(`${code}`, (seen.get(`${code}`) ?? 0) + 1)
    for (const n of [1, 3]) {
      const { length } = image.get(segment(n))!
      for (let end = 0; end < length; end += 7)
        count(
          await same(
            changed(image, segment(n), (bytes) => bytes.subarray(0, end)),
            `segment ${n} cut to ${end}`,
          ),
        )
      for (let bit = 0; bit < 8 * HEAD_BYTES; bit += 21) {
        const flip = (bytes: Buffer) =>
          bytes.fill(bytes[bit >> 3]! ^ (1 << (bit & 7)), bit >> 3, (bit >> 3) + 1)
        count(await same(changed(image, segment(n), flip), `segment ${n}, bit ${bit}`))
      }
      const missing = new Map(image)
      missing.delete(segment(n))
      count(await same(missing, `segment ${n} missing`))
      const swapped = new Map(image)
        .set(segment(n), image.get(segment(2))!)
        .set(segment(2), image.get(segment(n))!)
      count(await same(swapped, `segments 2 and ${n} swapped`))
      count(
        await same(
          changed(image, segment(n), (bytes) => Buffer.concat([bytes, bytes.subarray(384)])),
          'surplus',
        ),
      )
    }
    t.same([...seen.keys()], ['log-corrupt'], 'none of it opens')
    t.ok((seen.get('log-corrupt') ?? 0) > 400)
  },
)

t.test(
  'ES-1 what a crash leaves is told and mended the same, whether all is walked or the end',
  async (t) => {
    const image = await written({ closed: false })
    const { length } = image.get(NEWEST)!
    const slot = 192 + 96 * ((FRAMES - 1) % 2)
    const states: [string, Image][] = [['as it was', image]]
    for (let end = length - 2 * frameBytes(image); end < length; end++)
      states.push([`cut to ${end}`, changed(image, NEWEST, (bytes) => bytes.subarray(0, end))])
    for (const [what, cut] of states.slice(0, -1).filter((_, i) => i % 9 === 0))
      states.push([
        `${what}, a torn slot`,
        changed(cut, NEWEST, (bytes) => bytes.fill(7, slot + 40, slot + 96)),
      ])
    let mended = 0
    for (const [what, state] of states) {
      const short = await opened(state, 0)
      const whole = await opened(state, Infinity)
      t.same({ ...short, after: null }, { ...whole, after: null }, what)
      t.ok(
        [...whole.after].every(([path, bytes]) => short.after.get(path)?.equals(bytes)),
        'byte for byte',
      )
      if (short.code === undefined && short.told !== null) mended++
    }
    t.ok(mended > frameBytes(image), 'torn tails among them')
  },
)

t.test('a scrub goes on beside appends, new segments and rewrites, and finds nothing', async (t) => {
  const log = await openLog(looking(await written({ closed: true }), 0))
  let frames = 0
  const busy = async () => {
    if (frames++ % 3 === 0) await log.append([record(`meanwhile ${frames}`)])
    if (frames === 5) await log.rotate()
    if (frames === 7) await log.forget([2, 9])
    if (frames === 18) await log.merge()
  }
  t.same(await log.scrub(undefined, busy), [])
  t.ok(frames >= 18, 'it walked')
  t.equal((await textsOf(log)).length, log.head.seq)
  await log.close()
})

t.test('a scrub ends with its log, or when it is called off', async (t) => {
  const log = await openLog(looking(await written({ closed: true }), 0))
  const off = new AbortController()
  await t.rejects(
    log.scrub(off.signal, () => off.abort(new Error('enough'))),
    { message: 'enough' },
  )
  const scrubbing = log.scrub(undefined, () => turn())
  const ended = t.rejects(scrubbing, { code: 'log-closed' })
  await turn()
  await log.close()
  await ended
})

t.test('who reads the newest records does not walk what a claim stands for', async (t) => {
  const fs = memoryFileSystem()
  let bytes = 0
  const counting = {
    ...fs,
    open: async (path: string, mode: 'r' | 'rw' | 'w') => {
      const file = await fs.open(path, mode)
      const read = file.read.bind(file)
      file.read = async (offset, length) => {
        const got = await read(offset, length)
        bytes += got.length
        return got
      }
      return file
    },
  }
  const log = await createLog(logOptions(counting))
  for (let i = 0; i < 300; i++) await log.append([{ ...record(''), body: Buffer.alloc(4000, i) }])
  bytes = 0
  t.equal((await textsOf(log, 300)).length, 1)
  t.ok(bytes < 3 * 4096, `${bytes} bytes of 1.2 MB`)
  t.equal((await textsOf(log, 2)).length, 299, 'further back it walks')
  await log.close()
})

t.test('ES-1 a daemon finds an old frame damaged and ends; its next opening still works', async (t) => {
  const directory = t.testdir()
  const paths = pathsOf(directory)
  const identity = () => fixtureIdentity(0)
  const { id, spki, root, address } = identity()
  await mkdir(paths.log, { recursive: true })
  const place = { directory: paths.log, fs: nodeFileSystem, root, owner: address, rng: systemRng, lock: true }
  const store = await FactStore.create(place)
  const certificate = certificateOf(identity())
  await store.append(
    [{ type: 'IdentityCreated', data: { id, certificate, spki, origin: 'generated' } }],
    NOON,
  )
  // More than is walked at opening.
  const big: Fact = { type: 'ProfileChanged', data: { nickname: 'Alice', avatar: Buffer.alloc(900_000, 7) } }
  for (let i = 0; i < 10; i++) await store.append([big], NOON)
  await store.append([{ type: 'ProfileChanged', data: { nickname: 'Alice' } }], NOON)
  await store.close()
  await (await openProfile({ paths, identity: identity() })).close()

  const file = await open(`${paths.log}/00000001.seg`, 'r+')
  await file.write(Buffer.of(1, 2, 3), 0, 3, 4_000_000)
  await file.close()
  const daemon = await startDaemon({
    paths,
    identity: identity(),
    listen: 'off',
    refresh: false,
    signal: new AbortController().signal,
  })
  await t.rejects(daemon.ended, { code: 'log-corrupt', exitCode: 7, problem: { segment: 1, code: 'frame' } })
  const profile = await openProfile({ paths, identity: identity() })
  t.equal(profile.view.self()?.nickname, 'Alice')
  await profile.close()
})
