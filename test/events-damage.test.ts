import { once } from 'node:events'
import t, { type Test } from 'tap'
import { forkFixture } from './fixtures/child.js'
import { type DamageJob, changed, outcomeOf } from './fixtures/damage.js'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { auditLog, createLog, openLog } from '../src/events/log/index.js'
import {
  type Image,
  LOG_DIRECTORY,
  diskWith,
  imageOf,
  logOptions,
  record,
  reopened,
} from './fixtures/logs.js'

const FRAMES = 20
const FIRST_SEGMENT = `${LOG_DIRECTORY}/00000001.seg`
const MANIFEST = `${LOG_DIRECTORY}/manifest`
const KEYRING = `${LOG_DIRECTORY}/keyring`
const HEADER_BYTES = 192
const HEADER_AND_SLOTS = 384

const texts = (count: number) => Array.from({ length: count }, (_, i) => String.fromCharCode(0x61 + i))

/** A log of `count` frames of one record each: as the process left it when it died, and closed. */
async function written(count: number, segmentBytes?: number): Promise<{ died: Image; closed: Image }> {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs, segmentBytes === undefined ? {} : { segmentBytes }))
  for (const text of texts(count)) await log.append([record(text)])
  const died = imageOf(fs)
  await log.close()
  return { died, closed: imageOf(fs) }
}

/** In a process without tap, which follows every promise made here, and these are millions. */
async function complaintsOf(...jobs: readonly DamageJob[]): Promise<string[]> {
  const child = forkFixture('damage-child')
  child.send(jobs)
  const [found] = (await once(child, 'message')) as [string[]]
  await once(child, 'exit')
  return found
}

const allFiles = (image: Image, damage: DamageJob['damage'], all: readonly string[]): DamageJob[] =>
  [FIRST_SEGMENT, MANIFEST, KEYRING].map((path) => ({ image, path, damage, all }))

t.test('ES-1 a log of 20 frames, cut at every byte, loses nothing silently', async (t) => {
  const { died, closed } = await written(FRAMES)
  const all = texts(FRAMES)
  t.same(await complaintsOf(...allFiles(died, 'cut', all)), [], 'killed')
  t.same(await complaintsOf(...allFiles(closed, 'cut', all)), [], 'closed')
  const cut = (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)
  t.match(
    await outcomeOf(changed(closed, FIRST_SEGMENT, cut)),
    { code: 'log-corrupt' },
    'closed: claimed whole',
  )
  const torn = await outcomeOf(changed(died, FIRST_SEGMENT, cut))
  t.match(torn, { recovered: { segment: 1, ambiguous: true } }, 'killed: the last commit may have been made')
})

t.test('ES-1 a log of 20 frames, every bit flipped, never yields a wrong record', async (t) => {
  const { died, closed } = await written(FRAMES)
  const all = texts(FRAMES)
  t.same(await complaintsOf(...allFiles(died, 'every-bit', all)), [], 'killed')
  t.same(await complaintsOf(...allFiles(closed, 'bit-a-byte', all)), [], 'closed')
})

t.test('a tail that was never acknowledged is cut, told and not ambiguous', async (t) => {
  const { closed } = await written(3)
  const size = closed.get(FIRST_SEGMENT)!.length
  const image = changed(closed, FIRST_SEGMENT, (bytes) => Buffer.concat([bytes, Buffer.alloc(33, 5)]))
  const audit = await auditLog(logOptions(diskWith(image)))
  t.same(audit.problems, [{ segment: 1, offset: size, code: 'torn-tail' }])
  t.equal(audit.events, 3)
  const fs = diskWith(image)
  const first = await reopened(logOptions(fs))
  t.same(first.recovered, { segment: 1, offset: size, bytes: 33, ambiguous: false })
  t.same(first.texts, texts(3))
  t.equal((await reopened(logOptions(fs))).recovered, null, 'once cut it is not told again')
  t.equal(fs.contents(FIRST_SEGMENT).length, size)
})

t.test('an ambiguous end is told again until something was written after it', async (t) => {
  const { died } = await written(3)
  const fs = diskWith(changed(died, FIRST_SEGMENT, (bytes) => bytes.subarray(0, bytes.length - 1)))
  t.equal((await reopened(logOptions(fs))).recovered?.ambiguous, true)
  t.equal((await reopened(logOptions(fs))).recovered?.ambiguous, true)
  const log = await openLog(logOptions(fs))
  await log.append([record('told')])
  await log.close()
  const after = await reopened(logOptions(fs))
  t.equal(after.recovered, null)
  t.same(after.texts, [...texts(2), 'told'])
  t.match(await auditLog(logOptions(fs)), { ok: true, events: 3, seq: 3 })
})

t.test('damage in any of several segments is told, whichever it is', async (t) => {
  const { closed } = await written(12, 500)
  const segments = [...closed.keys()].filter((path) => path.endsWith('.seg')).sort()
  t.ok(segments.length >= 4, 'several segments')
  const all = texts(12)
  const [first, middle] = [segments[0]!, segments[1]!]
  const jobs: DamageJob[] = [
    { image: closed, path: first, damage: 'bit-a-byte', all },
    { image: closed, path: middle, damage: 'bit-a-byte', all },
    { image: closed, path: middle, damage: 'cut', all },
  ]
  t.same(await complaintsOf(...jobs), [])
})

t.test('segments removed or swapped, frames swapped, an older manifest: log-corrupt', async (t) => {
  const { closed } = await written(12, 500)
  const segments = [...closed.keys()].filter((path) => path.endsWith('.seg')).sort()
  for (const path of segments) {
    const without = new Map(closed)
    without.delete(path)
    await corrupt(t, without, 'segment-missing', `${path} removed`)
  }
  for (const [i, path] of segments.entries()) {
    const other = segments[(i + 1) % segments.length]!
    const swapped = new Map(closed).set(path, closed.get(other)!).set(other, closed.get(path)!)
    await corrupt(t, swapped, 'segment-header', `${path} swapped with ${other}`)
  }
  const one = (await written(3)).closed
  await corrupt(t, changed(one, FIRST_SEGMENT, swapFrames), 'frame', 'frames swapped')
  const without = new Map(closed)
  without.delete(MANIFEST)
  await corrupt(t, without, 'manifest-missing', 'manifest removed')
})

function swapFrames(bytes: Buffer): Buffer {
  const length = (bytes.length - HEADER_AND_SLOTS) / 3
  const frame = (i: number) =>
    bytes.subarray(HEADER_AND_SLOTS + i * length, HEADER_AND_SLOTS + (i + 1) * length)
  return Buffer.concat([bytes.subarray(0, HEADER_AND_SLOTS), frame(1), frame(0), frame(2)])
}

async function corrupt(t: Test, image: Image, code: string, name: string): Promise<void> {
  t.match(await outcomeOf(image), { kind: 'refused', code: 'log-corrupt' }, name)
  t.match((await auditLog(logOptions(diskWith(image)))).problems[0], { code }, `${name}: audit`)
}

t.test('an older manifest is noticed as long as what it does not know is there', async (t) => {
  const fs = memoryFileSystem()
  const manifests: Buffer[] = []
  const log = await createLog(logOptions(fs, { segmentBytes: 500 }))
  for (const text of texts(12)) {
    await log.append([record(text)])
    manifests.push(fs.contents(MANIFEST))
  }
  await log.close()
  const image = imageOf(fs)
  const older = new Set(manifests.map((manifest) => manifest.toString('hex')))
  older.delete(image.get(MANIFEST)!.toString('hex'))
  t.ok(older.size >= 3)
  for (const manifest of older) {
    const restored = new Map(image).set(MANIFEST, Buffer.from(manifest, 'hex'))
    await corrupt(t, restored, 'manifest-old', 'older manifest')
  }
})

t.test('anchors that know of too little are as wrong as frames that are missing', async (t) => {
  const { died, closed } = await written(FRAMES)
  const few = (await written(2)).closed
  const slots = (image: Image) => image.get(FIRST_SEGMENT)!.subarray(HEADER_BYTES, HEADER_AND_SLOTS)
  const anchored = (image: Image) =>
    changed(image, FIRST_SEGMENT, (bytes) => (slots(few).copy(bytes, HEADER_BYTES), bytes))
  await corrupt(t, anchored(died), 'anchor', 'the slots of an earlier time')
  const frame = (closed.get(FIRST_SEGMENT)!.length - HEADER_AND_SLOTS) / FRAMES
  const three = changed(anchored(died), FIRST_SEGMENT, (bytes) =>
    bytes.subarray(0, HEADER_AND_SLOTS + 3 * frame),
  )
  t.match(await outcomeOf(three), { recovered: null, texts: texts(3) }, 'one commit more than claimed may be')
  const more = changed(three, FIRST_SEGMENT, (bytes) => Buffer.concat([bytes, Buffer.alloc(9)]))
  await corrupt(t, more, 'surplus', 'and nothing behind it')
})

t.test('corruption stops every write', async (t) => {
  const { closed } = await written(3)
  const image = changed(closed, FIRST_SEGMENT, (bytes) => bytes.fill(1, 500, 501))
  const fs = diskWith(image)
  await t.rejects(openLog(logOptions(fs)), { code: 'log-corrupt', message: /segment 1, offset \d+/ })
  t.same(imageOf(fs), image)
})

t.test('segments without a keyring are a damaged log, nothing at all is none', async (t) => {
  const { closed } = await written(2)
  const without = new Map(closed)
  without.delete(KEYRING)
  t.match(await outcomeOf(without), { code: 'log-corrupt' })
  await t.rejects(createLog(logOptions(diskWith(without))), { code: 'log-corrupt' })
  await t.rejects(openLog(logOptions(memoryFileSystem())), { code: 'log-missing' })
  await t.rejects(auditLog(logOptions(memoryFileSystem())), { code: 'log-missing' })
})
