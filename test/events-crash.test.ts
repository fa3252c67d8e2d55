import { once } from 'node:events'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { auditLog, createLog, openLog } from '../src/events/log/index.js'
import { FactStore } from '../src/events/store/fact-store.js'
import type { FileSystem } from '../src/events/file-system/file-system.js'
import { utf8 } from '../src/foundation/bytes.js'
import { isSottoError } from '../src/foundation/errors.js'
import { systemRng } from '../src/foundation/rng.js'
import { forkFixture } from './fixtures/child.js'
import { faultyFileSystem, systemError } from './fixtures/faulty-file-system.js'
import { logOptions, record, reopened, textsOf } from './fixtures/logs.js'
import { VolatileDisk } from './fixtures/volatile-disk.js'

const KILLS = 15
const LONGEST_LIFE_MS = 120

/** Appends of one life of a process: alone, or so many at once. */
const life = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 })

/** Switches off at the n-th operation; says what was acknowledged, and what had been begun besides. */
async function live(
  fs: FileSystem,
  operations: number,
  begin: (fs: FileSystem) => ReturnType<typeof openLog>,
  appends: readonly number[],
  name: string,
): Promise<{ acknowledged: string[]; begun: string[] }> {
  let left = operations
  const failing = faultyFileSystem(fs, () => (left-- > 0 ? null : systemError('EIO')))
  const acknowledged: string[] = []
  const begun: string[] = []
  try {
    const log = await begin(failing)
    for (const [i, count] of appends.entries()) {
      const texts = Array.from({ length: count }, (_, k) => `${name}, append ${i}.${k}`)
      begun.push(...texts)
      await Promise.all(texts.map((text) => log.append([record(text)]).then(() => acknowledged.push(text))))
    }
    await log.close()
  } catch (error) {
    if (!isSottoError(error, 'log-failed') && left > 0) throw error
  }
  return { acknowledged, begun }
}

t.test('ES-1 a power cut at any operation loses nothing acknowledged', async (t) => {
  let cuts = 0
  const property = fc.asyncProperty(
    life,
    life,
    fc.integer({ min: 0, max: 90 }),
    fc.integer({ min: 0, max: 160 }),
    fc.infiniteStream(fc.nat()),
    async (firstLife, secondLife, firstCut, secondCut, chance) => {
      const pick = (below: number) => chance.next().value % below
      const disk = new VolatileDisk()
      const options = { segmentBytes: 700 }
      const first = await live(
        disk.fs,
        firstCut,
        (fs) => createLog(logOptions(fs, options)),
        firstLife,
        'first',
      )
      const found = disk.afterPowerCut(pick)
      const exists = await openLog(logOptions(found, { readOnly: true })).then(
        () => true,
        (error: unknown) => !isSottoError(error, 'log-missing'),
      )
      if (!exists) return first.acknowledged.length === 0

      const again = new VolatileDisk(found)
      const second = await live(
        again.fs,
        secondCut,
        (fs) => openLog(logOptions(fs, options)),
        secondLife,
        'second',
      )
      const last = again.afterPowerCut(pick)
      const mended = await openLog(logOptions(last))
      const texts = await textsOf(mended)
      await mended.append([record('and on it goes')])
      await mended.close()
      t.match(await auditLog(logOptions(last)), { ok: true, events: texts.length + 1 }, 'mended for good')
      cuts++
      const lives = [first, second]
      t.same(
        texts.filter((text) => lives.some(({ acknowledged }) => acknowledged.includes(text))),
        [...first.acknowledged, ...second.acknowledged],
      )
      const begun = lives.flatMap((each) => each.begun)
      t.ok(
        texts.every((text) => begun.includes(text)),
        'nothing came from nowhere',
      )
      t.equal(new Set(texts).size, texts.length, 'nothing is there twice')
      return true
    },
  )
  await fc.assert(property, { numRuns: 250 })
  t.ok(cuts > 100, 'most runs got past creation')
})

t.test('ES-1 kill -9 at any moment: every acknowledged append survives', async (t) => {
  const directory = join(t.testdir(), 'log')
  const options = logOptions(nodeFileSystem, { directory, rng: systemRng })
  await (await createLog(options)).close()
  let acknowledged = 0
  for (let round = 0; round < KILLS; round++) {
    const child = forkFixture('log-writer-child', [directory, '4000'], { silent: true })
    let told = ''
    child.stdout?.on('data', (chunk: Buffer) => (told += chunk.toString()))
    await once(child.stdout!, 'data')
    if (round === 0) await t.rejects(openLog(options), { code: 'log-busy' }, 'the child holds the lock')
    await sleep(((round * 7919) % LONGEST_LIFE_MS) + 1)
    child.kill('SIGKILL')
    await once(child, 'close')
    acknowledged = Math.max(acknowledged, ...told.split('\n').slice(0, -1).map(Number))
    const log = await openLog(options)
    t.ok(log.head.seq >= acknowledged, `${acknowledged} acknowledged, ${log.head.seq} there`)
    acknowledged = log.head.seq
    await log.close()
  }
  const { texts } = await reopened(options)
  t.equal(texts.length, acknowledged)
  t.ok(acknowledged > KILLS)
  t.match(await auditLog(options), { ok: true, events: acknowledged })
})

t.test('ID-3 nothing of a message is readable in the directory', async (t) => {
  const directory = join(t.testdir(), 'log')
  const options = logOptions(nodeFileSystem, { directory, rng: systemRng })
  const store = await FactStore.create(options)
  const at = 1_712_345_678_901
  const words = ['we meet at the old mill', 'https://tracker.example/KEY', 'TrackerAdded', 'at the old mill']
  await store.append([{ type: 'TrackerAdded', data: { url: `${words[0]} ${words[1]}` } }], at)
  await store.close()
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(at))
  const needles: Uint8Array[] = [...words.map(utf8), time.subarray(2), options.root, options.owner]
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  t.ok(files.includes('00000001.seg'))
  for (const name of files) {
    if (!statSync(join(directory, name)).isFile()) continue
    const bytes = readFileSync(join(directory, name))
    t.notOk(
      needles.some((needle) => bytes.includes(Buffer.from(needle))),
      name,
    )
  }
  t.equal(statSync(join(directory, '00000001.seg')).mode & 0o777, 0o600)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  const again = await FactStore.open(options)
  for await (const { fact } of again.read()) t.match(fact, { at, data: { url: /old mill/ } })
  await again.close()
})
