import { once } from 'node:events'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { auditLog, createLog, openLog } from '../src/events/log/index.js'
import { FactStore } from '../src/events/store/fact-store.js'
import { utf8 } from '../src/foundation/bytes.js'
import { systemRng } from '../src/foundation/rng.js'
import { forkFixture } from './fixtures/child.js'
import { Chance } from './fixtures/crash/chance.js'
import { CrashDisk } from './fixtures/crash/disk.js'
import { DiskProcess } from './fixtures/crash/process.js'
import { logOptions, record, reopened, textsOf } from './fixtures/logs.js'

const KILLS = 15
const LONGEST_LIFE_MS = 120

/** A log with one record in it, and whatever comes next not yet synced by its dead writer. */
async function withUnsynced(end: (process: DiskProcess) => void, seed: number) {
  const disk = new CrashDisk(new Chance(seed), '/alice')
  const writer = new DiskProcess(disk)
  const log = await createLog(logOptions(writer.fs))
  await log.append([record('acknowledged')])
  end(writer)
  const dying = log.append([record('begun')]).catch(() => undefined)
  await Promise.race([dying, writer.death])
  writer.kill()
  return disk
}

for (const [what, end] of [
  ['was killed before its datasync', (writer: DiskProcess) => writer.dieAfter(0, 'datasync')],
  [
    'saw its datasync fail',
    (writer: DiskProcess) => (writer.fault = (operation) => (operation === 'datasync' ? 'EIO' : null)),
  ],
] as const) {
  t.test(
    `ES-1 what a writer left in memory that ${what} is made durable before it is relied on`,
    async (t) => {
      for (let seed = 0; seed < 60; seed++) {
        const disk = await withUnsynced(end, seed)
        const next = new DiskProcess(disk)
        const log = await openLog(logOptions(next.fs))
        const seen = await textsOf(log)
        if (seed % 2 === 0) {
          await log.append([record('after')])
          seen.push('after')
        }
        next.kill()
        disk.powerCut()
        const { texts } = await reopened(logOptions(new DiskProcess(disk).fs))
        t.same(texts, seen, `seed ${seed}`)
      }
    },
  )
}

t.test('a log is not made on a disk that takes nothing, and the error is one of ours', async (t) => {
  for (const operation of ['mkdir', 'syncDirectory', 'open', 'write', 'datasync', 'rename'] as const) {
    const disk = new CrashDisk(new Chance(1), '/alice')
    const process = new DiskProcess(disk, (each) => (each === operation ? 'EROFS' : null))
    await t.rejects(
      createLog(logOptions(process.fs)),
      { code: 'log-failed', cause: { code: 'EROFS' } },
      operation,
    )
    t.equal(process.openFiles, 0)
    const log = await createLog(logOptions(new DiskProcess(disk).fs))
    await log.close()
  }
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
