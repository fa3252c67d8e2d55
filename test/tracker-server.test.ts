import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { concat, toHex } from '../src/foundation/bytes.js'
import { seededRng, systemRng } from '../src/foundation/rng.js'
import { askFor, type Found, type LookupMemory, lookupKeys, readAnswer } from '../src/net/tracker/lookup.js'
import { ownRecords, type SequenceMemory } from '../src/net/tracker/publish.js'
import { blindOwnPlace, buildRecord, type PutRecord } from '../src/net/tracker/record.js'
import { DEFAULT_ALLOWANCES } from '../tracker/admission.js'
import { trackerKeys } from '../tracker/keys.js'
import { DEFAULT_LIMITS, type TrackerLimits } from '../tracker/limits.js'
import { type RunningTracker, runTracker } from '../tracker/server.js'
import { TrackerStore } from '../tracker/store.js'
import { forkFixture } from './fixtures/child.js'
import { type Person, person } from './fixtures/tracker-people.js'
import { UdpAsker } from './fixtures/tracker-udp.js'

const alice = person('Alice of the tracker test')
const SECRET = alice.self.friendSecret!
const DAY = 86_400_000
/** Far from the change of Alice's period, so that she publishes two records and no more. */
const NOON = Date.UTC(2026, 10, 22, 12)
const FREE = { rate: 1e6, burst: 1e6 }
const LIMITS: TrackerLimits = {
  ...DEFAULT_LIMITS,
  retrySeconds: 0,
  allowances: { ...DEFAULT_ALLOWANCES, request: FREE, put: FREE, creation: FREE },
}

async function start(
  t: Test,
  data: string,
  more: Partial<Parameters<typeof runTracker>[0]> = {},
): Promise<RunningTracker> {
  const tracker = await runTracker({ listen: '127.0.0.1:0', data, limits: LIMITS, ...more })
  t.teardown(() => tracker.close())
  return tracker
}

async function asker(t: Test, url: string): Promise<UdpAsker> {
  const udp = await UdpAsker.open(url)
  t.teardown(() => udp.close())
  return udp
}

async function publish(
  udp: UdpAsker,
  who: Person,
  now: number,
  last: SequenceMemory = new Map(),
): Promise<unknown[]> {
  const records = ownRecords(who.self, who.vault, now, systemRng, undefined, last)
  return Promise.all(records.map((record) => udp.put(record)))
}

async function find(
  udp: UdpAsker,
  secret: Uint8Array | null,
  now: number,
  memory: LookupMemory = new Map(),
): Promise<Found | null> {
  const asks = lookupKeys(alice.self.id, secret, now)
  const answers = await udp.query(asks.map((ask) => askFor(memory, ask)))
  if (answers === 'failed') throw new Error('the tracker is silent')
  return asks.map((ask, i) => readAnswer(memory, ask, answers[i]!)).find((found) => found !== null) ?? null
}

/** Record n of nobody in particular: a key of its own for each n. */
function numbered(n: number, seq: number): PutRecord {
  const place = {
    kind: 'public' as const,
    address: alice.vault.address,
    secret: new Uint8Array(0),
    period: n,
  }
  const body = {
    status: 'offline' as const,
    at: 1,
    introduction: null,
    questions: false,
    device: null,
    endpoints: [],
  }
  const rng = seededRng(`numbered ${n} ${seq}`)
  return buildRecord(blindOwnPlace(place, alice.vault.addressSeed()), { seq, ttl: 60, body }, rng)
}

t.test('TRK-6 over UDP: puts, queries, conditional queries and status updates', async (t) => {
  const tracker = await start(t, t.testdir())
  t.match(tracker.listening, /^127\.0\.0\.1:\d+$/)
  t.match(tracker.url, /^sotto-tracker:\/\/127\.0\.0\.1:\d+\/[A-Z2-7]{60}$/)
  const [owner, friend] = await Promise.all([asker(t, tracker.url), asker(t, tracker.url)])
  const now = NOON
  const last: SequenceMemory = new Map()
  const memory: LookupMemory = new Map()
  t.equal(await find(friend, SECRET, now), null, 'nobody has put anything')
  t.match(await publish(owner, alice, now, last), [{ kind: 'stored' }, { kind: 'stored' }])
  t.match(await find(friend, SECRET, now, memory), { status: 'online', endpoints: alice.self.endpoints })
  t.match(await find(friend, null, now), { status: 'unknown', introduction: Uint8Array })
  const [ask] = lookupKeys(alice.self.id, SECRET, now)
  t.match(await friend.query([askFor(memory, ask!)]), [{ kind: 'unchanged' }])
  const moved = person('Alice of the tracker test', { status: 'offline', endpoints: ['192.0.2.77:7'] })
  t.match(await publish(owner, moved, now, last), [{ kind: 'stored' }, { kind: 'stored' }])
  t.match(await find(friend, SECRET, now, memory), { status: 'offline', endpoints: ['192.0.2.77:7'] })
  const latency = await friend.ping()
  t.ok(typeof latency === 'number' && latency >= 0 && latency < 5000)
})

t.test('TRK-6 over UDP and IPv6, where the machine has it', async (t) => {
  const data = t.testdir()
  if (!hasIpv6()) {
    await t.rejects(runTracker({ listen: '[::1]:0', data }), { code: 'cannot-listen' })
    return
  }
  const tracker = await start(t, data, { listen: '[::1]:0' })
  t.match(tracker.url, /^sotto-tracker:\/\/\[::1\]:\d+\//)
  const udp = await asker(t, tracker.url)
  t.match(await publish(udp, alice, NOON), [{ kind: 'stored' }, { kind: 'stored' }])
  t.match(await find(udp, SECRET, NOON), { status: 'online' })
})

t.test('ES-3 a tracker restarts from its log alone, with the same key', async (t) => {
  const data = t.testdir()
  const first = await start(t, data)
  const now = NOON
  const before = await asker(t, first.url)
  t.match(await publish(before, alice, now), [{ kind: 'stored' }, { kind: 'stored' }])
  await first.close()
  await first.close()
  t.equal(await first.ended, null)
  const port = first.listening.split(':')[1]!
  const named = await start(t, data, { publicHost: 'tracker.example' })
  t.equal(named.url.split('/')[3], first.url.split('/')[3], 'the same key')
  t.ok(named.url.startsWith('sotto-tracker://tracker.example:'), 'under the name it is known by')
  await named.close()
  const second = await start(t, data, { listen: `127.0.0.1:${port}` })
  t.equal(second.url, first.url)
  t.match(
    await find(before, SECRET, now),
    { status: 'online' },
    'the asker renews its session and notices nothing',
  )
  t.equal(statSync(join(data, 'tracker.key')).mode & 0o777, 0o600)
  t.same(readdirSync(data).sort(), ['lock', 'log', 'tracker.key'])
})

t.test('kill -9 loses no acknowledged put', async (t) => {
  const data = t.testdir()
  const [child, url] = await spawned(t, data)
  const udp = await asker(t, url)
  const acknowledged = new Map<number, number>()
  const one = async (n: number): Promise<void> => {
    for (let seq = 1; seq <= 200; seq++) {
      const outcome = await udp.put(numbered(n, seq))
      if (outcome === 'failed' || outcome.kind !== 'stored') return
      acknowledged.set(n, seq)
      if (n === 0 && seq === 6) child.kill('SIGKILL')
    }
  }
  const gone = once(child, 'exit')
  void Promise.all([0, 1, 2, 3].map(one))
  t.same(await gone, [null, 'SIGKILL'])
  const tracker = await start(t, data)
  const reader = await asker(t, tracker.url)
  t.ok(acknowledged.get(0)! >= 6, `${acknowledged.get(0)} acknowledged`)
  for (const [n, seq] of acknowledged) {
    const [answer] = (await reader.query([{ key: keyOf(n), known: 0 }])) as {
      kind: string
      record?: PutRecord
    }[]
    t.equal(answer?.kind, 'record')
    t.ok((answer?.record?.seq ?? 0) >= seq, `record ${n}: ${answer?.record?.seq} of at least ${seq}`)
  }
})

t.test("TRK-5 records expire by the tracker's clock, also over a restart", async (t) => {
  const data = t.testdir()
  let now = NOON
  const clock = () => now
  const first = await start(t, data, { clock })
  const udp = await asker(t, first.url)
  t.match(await udp.put(numbered(1, 1)), { kind: 'stored' })
  const ask = (to: UdpAsker) => to.query([{ key: keyOf(1), known: 0 }])
  now += 59 * 60_000
  t.match(await ask(udp), [{ kind: 'record' }])
  await first.close()
  const second = await start(t, data, { clock })
  t.match(await ask(await asker(t, second.url)), [{ kind: 'record' }])
  now += 61_000
  t.match(await ask(await asker(t, second.url)), [{ kind: 'unknown' }])
  await second.close()
  now += DAY
  t.match(await ask(await asker(t, (await start(t, data, { clock })).url)), [{ kind: 'unknown' }])
})

t.test(
  'the owner of the machine finds no ID, key, endpoint or name: on the disk, nor behind the seal',
  async (t) => {
    const data = t.testdir()
    const tracker = await start(t, data)
    const now = NOON
    t.match(await publish(await asker(t, tracker.url), alice, now), [{ kind: 'stored' }, { kind: 'stored' }])
    await tracker.close()
    const disk = filesOf(data).map((path) => readFileSync(path))
    const fs = memoryFileSystem()
    for (const path of filesOf(data)) fs.put(path, readFileSync(path))
    const keys = await trackerKeys(fs, data, systemRng)
    const store = await TrackerStore.open({ fs, directory: data, keys, rng: systemRng })
    const opened: Uint8Array[] = []
    for await (const { record } of store.read())
      opened.push(record.blinded, record.value, record.anchor, record.signature)
    await store.close()
    t.equal(opened.length, 8, "with the tracker's own key the records open")
    const secrets = {
      'the ID': Buffer.from(alice.self.id),
      'half of the ID': Buffer.from(alice.self.id.slice(0, 26)),
      'the address key': alice.vault.address,
      'the nickname': Buffer.from(alice.self.nickname),
      'the endpoint as text': Buffer.from(alice.self.endpoints[0]!),
      'the endpoint as bytes': Buffer.from([203, 0, 113, 7, 4711 >> 8, 4711 & 255]),
      'the introduction key': alice.self.introductionKeys[0]!.public,
      'the friend secret': SECRET,
      'the asker': Buffer.from('127.0.0.1'),
    }
    for (const [name, secret] of Object.entries(secrets)) {
      t.notOk(concat(...disk).includes(Buffer.from(secret)), `${name} on the disk`)
      t.notOk(concat(...opened).includes(Buffer.from(secret)), `${name} behind the seal`)
    }
    t.notOk(concat(...disk).includes(Buffer.from(opened[0]!)), 'the records themselves are sealed too')
  },
)

t.test('the log is compacted while the tracker runs; the state stays', async (t) => {
  const data = t.testdir()
  const first = await start(t, data, { limits: { ...LIMITS, deadRecords: 20 } })
  const udp = await asker(t, first.url)
  for (let seq = 1; seq <= 20; seq++) {
    const outcomes = await Promise.all([1, 2, 3].map((n) => udp.put(numbered(n, seq))))
    t.ok(
      outcomes.every((one) => one !== 'failed' && one.kind === 'stored'),
      `round ${seq}`,
    )
  }
  // A close breaks a compaction off, so the test waits for it first; what is copied amid a swap may not open.
  await waitUntil(() =>
    recordsIn(data).then(
      ({ length }) => length < 40,
      () => false,
    ),
  )
  await first.close()
  const kept = await recordsIn(data)
  t.ok(kept.length < 40, `${kept.length} of 60 records are left`)
  const second = await start(t, data)
  const answers = await (
    await asker(t, second.url)
  ).query([1, 2, 3].map((n) => ({ key: keyOf(n), known: 0 })))
  t.match(
    answers,
    [1, 2, 3].map(() => ({ kind: 'record', record: { seq: 20 } })),
  )
})

t.test('a tracker whose disk fails acknowledges nothing, says so and stops', async (t) => {
  const fs = memoryFileSystem()
  let broken = false
  const failing = {
    ...fs,
    open: async (path: string, mode: 'r' | 'rw' | 'w') => {
      const file = await fs.open(path, mode)
      const datasync = () => (broken ? Promise.reject(new Error('EIO')) : file.datasync())
      return {
        ...{ datasync, read: file.read.bind(file), write: file.write.bind(file), size: file.size.bind(file) },
        ...{ truncate: file.truncate.bind(file), close: file.close.bind(file) },
      }
    },
  }
  const tracker = await start(t, '/tracker', { fs: failing })
  const udp = await asker(t, tracker.url)
  t.match(await udp.put(numbered(1, 1)), { kind: 'stored' })
  broken = true
  const late = udp.put(numbered(1, 2))
  const error = await tracker.ended
  t.match(error, { code: 'log-failed' })
  const settled = await Promise.race([late, Promise.resolve('not acknowledged')])
  t.equal(settled, 'not acknowledged')
})

t.test('what a tracker refuses to start with is named, and nothing stays locked', async (t) => {
  const { data, other } = directories(t)
  const tracker = await start(t, data)
  await t.rejects(runTracker({ listen: '127.0.0.1:0', data }), { code: 'log-busy' })
  await t.rejects(runTracker({ listen: tracker.listening, data: other }), {
    code: 'cannot-listen',
  })
  for (const listen of ['', 'localhost:1', '127.0.0.1', '127.0.0.1:70000']) {
    await t.rejects(runTracker({ listen, data: join(data, 'x') }), { code: 'bad-endpoint' })
  }
  await tracker.close()
  const path = join(data, 'tracker.key')
  const good = readFileSync(path)
  chmodSync(path, 0o600)
  for (const bad of [Buffer.alloc(0), good.subarray(1), concat(good, Buffer.alloc(1))]) {
    writeFileSync(path, bad)
    await t.rejects(runTracker({ listen: '127.0.0.1:0', data }), { code: 'malformed' })
  }
  writeFileSync(path, concat(good.subarray(0, 41), randomBytes(32)))
  await t.rejects(runTracker({ listen: '127.0.0.1:0', data }), { code: 'log-unopened' })
  writeFileSync(path, good)
  const manifest = readFileSync(join(data, 'log', 'manifest'))
  writeFileSync(join(data, 'log', 'manifest'), manifest.subarray(1))
  await t.rejects(runTracker({ listen: '127.0.0.1:0', data }), { code: 'log-corrupt' })
  writeFileSync(join(data, 'log', 'manifest'), manifest)
  const again = await start(t, data)
  t.equal(toHex((await trackerKeysOf(data)).public).length, 64)
  t.equal(again.url.split('/')[3], tracker.url.split('/')[3])
})

function directories(t: Test): { data: string; other: string } {
  const root = t.testdir()
  return { data: join(root, 'data'), other: join(root, 'other') }
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400 && !(await holds()); tries++) await setTimeout(25)
}

async function recordsIn(data: string): Promise<unknown[]> {
  const fs = memoryFileSystem()
  for (const path of filesOf(data)) fs.put(path, readFileSync(path))
  const keys = await trackerKeys(fs, data, systemRng)
  const store = await TrackerStore.open({ fs, directory: data, keys, rng: systemRng })
  const records: unknown[] = []
  for await (const record of store.read()) records.push(record)
  await store.close()
  return records
}

async function trackerKeysOf(data: string) {
  const fs = memoryFileSystem()
  for (const path of filesOf(data)) fs.put(path, readFileSync(path))
  return trackerKeys(fs, data, systemRng)
}

/** Every file below, but the empty lock's own. */
function filesOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return entry.name === 'lock' ? [] : filesOf(path)
    return [path]
  })
}

function keyOf(n: number): Uint8Array {
  const place = {
    kind: 'public' as const,
    address: alice.vault.address,
    secret: new Uint8Array(0),
    period: n,
  }
  return blindOwnPlace(place, alice.vault.addressSeed()).key
}

function hasIpv6(): boolean {
  try {
    return readFileSync('/proc/net/if_inet6', 'utf8').includes('00000000000000000000000000000001')
  } catch {
    return false
  }
}

/** A tracker in a process of its own, and its URL. */
async function spawned(t: Test, data: string): Promise<[ChildProcess, string]> {
  const child = forkFixture('tracker-process', [data], { silent: true })
  t.teardown(() => child.kill('SIGKILL'))
  child.stderr?.pipe(process.stderr)
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return [child, line.toString().trim()]
}
