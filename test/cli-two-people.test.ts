import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Machine, type Running } from '../demo/machine.js'
import { pathsOf } from '../src/profile/paths.js'
import { connectRpc } from '../src/profile/rpc/client.js'
import { addressOf } from '../src/keys/user-id.js'
import { fixtureIdentity } from './fixtures/identities.js'
import { makeProfile } from './fixtures/profiles.js'

/** Alice and Bob with a daemon each, and a tracker: five real processes, driven by commands only. */
const directory = mkdtempSync(join(tmpdir(), 'sotto-two-'))
const passphraseOf = (name: string) => `the passphrase of ${name}`
const machine = (name: string) => new Machine(join(directory, name), passphraseOf(name))
const people = { alice: machine('alice'), bob: machine('bob') }
const tracker = machine('tracker')
const PATIENCE_MS = 60_000
const POLL_MS = 150
const START = ['daemon', 'start', '--listen', '127.0.0.1:0', '--json']

type Name = keyof typeof people
type Answer = Record<string, unknown>
interface Text {
  readonly text: string
  readonly state: string
  readonly direction: string
  readonly at: number
}

const ids: Record<Name, string> = { alice: '', bob: '' }
const daemons: Partial<Record<Name, Running>> = {}
/** Time stamps of everything said. */
const times = new Set<number>()

t.teardown(async () => {
  await Promise.all([people.alice.close(), people.bob.close(), tracker.close()])
  rmSync(directory, { recursive: true, force: true })
})

async function ask(name: Name, ...argv: readonly string[]): Promise<Answer> {
  const outcome = await people[name].run([...argv, '--json'])
  if (outcome.code !== 0)
    throw new Error(`${name}: ${argv.join(' ')}: ${outcome.code} ${outcome.stdout}${outcome.stderr}`)
  return outcome.json as Answer
}

async function goOnline(name: Name): Promise<string> {
  const daemon = await people[name].start(START)
  daemons[name] = daemon
  return (daemon.ready as { listening: string }).listening
}

async function texts(name: Name, who: string): Promise<readonly Text[]> {
  const messages: Text[] = []
  await peek(name, 'chat.read', { who }, (event) => messages.push(event as Text))
  for (const { at } of messages) times.add(at)
  return messages
}

/** Looks through the daemon's socket, as a command does, without the price of a process. */
async function peek(
  name: Name,
  method: string,
  params: unknown = {},
  onEvent?: (event: unknown) => void,
): Promise<Answer> {
  const client = await connectRpc(socketOf(name))
  if (client === null) throw new Error(`${name} has no daemon`)
  return client
    .call(method, params, { ...(onEvent && { onEvent }) })
    .finally(() => client.close()) as Promise<Answer>
}

function socketOf(name: Name): string {
  const { directory: home, data } = people[name]
  const file = basename(pathsOf(join(data, 'default')).socket)
  return join(home, 'run', `sotto-${process.getuid?.() ?? 0}`, file)
}

async function eventually<T>(what: string, look: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const value = await look()
    if (good(value)) return value
    if (Date.now() > until) throw new Error(`${what}: ${JSON.stringify(value)}`)
    await sleep(POLL_MS)
  }
}

const said = (rows: readonly Text[]) => rows.map((row) => row.text)
const holds =
  (...wanted: readonly string[]) =>
  (rows: readonly Text[]) =>
    said(rows).join('|') === wanted.join('|')

t.test('TRG-2 two people, a tracker added by hand with its pinned key', async (t) => {
  for (const [n, name] of (['alice', 'bob'] as const).entries()) {
    await makeProfile(people[name], { n, nickname: name, passphrase: passphraseOf(name) })
    ids[name] = fixtureIdentity(n).id
  }
  const running = await tracker.start(['tracker', 'run', '--listen', '127.0.0.1:0', '--json'])
  const { url, listening } = running.ready as { url: string; listening: string }
  t.equal(url.split('/')[2], listening)
  await Promise.all([goOnline('alice'), goOnline('bob')])
  for (const name of ['alice', 'bob'] as const) {
    t.match(await ask(name, 'tracker', 'add', url), { trackers: [{ url, from: 'hand' }] })
    t.match(await ask(name, 'tracker', 'check'), { trackers: [{ url, ok: true }] })
  }
  const wrongKey = url.slice(0, -1) + (url.endsWith('A') ? 'C' : 'A')
  const refused = await people.alice.run(['tracker', 'add', wrongKey, '--json'])
  t.equal(refused.code, 2)
  t.match(refused.json, { error: { code: 'bad-tracker-url' } })
})

t.test('FRD-1 FRD-2 ID-1 knowing only an id, Alice sees who it is, asks, and is accepted', async (t) => {
  const found = await eventually(
    'look-up',
    () => people.alice.run(['friend', 'lookup', ids.bob, '--json']),
    (o) => o.code === 0,
  )
  t.match(found.json, { id: ids.bob, nickname: 'bob', reachable: true })
  t.match(await ask('alice', 'friend', 'add', ids.bob), { id: ids.bob, state: 'requested' })
  const keys = await ask('alice', 'keys', 'show')
  const requests = await eventually(
    'request',
    () => peek('bob', 'friend.requests'),
    (a) => (a['requests'] as unknown[]).length === 1,
  )
  t.match(requests, { requests: [{ id: ids.alice, nickname: 'alice', fingerprint: keys['fingerprint'] }] })
  const early = await people.alice.run(['chat', 'send', ids.bob, 'too early', '--json'])
  t.match(early.json, { error: { code: 'not-a-friend' } })
  await ask('bob', 'friend', 'accept', 'alice')
  const isFriend = (answer: Answer) => (answer['friends'] as Answer[])[0]?.['state'] === 'friend'
  const bob = await eventually('accepted', () => peek('alice', 'friend.show', { who: ids.bob }), isFriend)
  t.match(bob, { friends: [{ nickname: 'bob', state: 'friend', fingerprint: /^[0-9a-f]{64}$/ }] })
})

t.test(
  'SND-5 RCV-1 messages both ways: delivered means durable at the other side, and reading is told',
  async (t) => {
    const sent = await ask(
      'alice',
      'chat',
      'send',
      'bob',
      'hello bob',
      '--wait',
      'delivered',
      '--timeout',
      '60',
    )
    t.match(sent, { messageId: /^[0-9a-f]{32}$/, state: 'delivered', at: Number })
    await ask(
      'bob',
      'chat',
      'send',
      ids.alice.slice(0, 8),
      'hello\nalice ✓',
      '--wait',
      'delivered',
      '--timeout',
      '60',
    )
    const read = await ask('bob', 'chat', 'read', 'alice')
    t.ok(holds('hello bob', 'hello\nalice ✓')(read['messages'] as Text[]))
    const shown = await people.bob.run(['chat', 'read', 'alice', '--ids'])
    t.match(shown.stdout, `${String(sent['messageId'])} `, 'ids for chat show and chat forget, in words too')
    const message = await eventually(
      'read',
      () => peek('alice', 'chat.show', { messageId: sent['messageId'] }),
      (a) => a['state'] === 'read',
    )
    t.same(
      (message['trail'] as Answer[]).map((step) => step['what']).filter((what) => what !== 'shown'),
      ['queued', 'sent', 'delivered', 'read'],
    )
  },
)

t.test(
  'SND-2 SND-3 kept for who is away and comes back elsewhere, over kill -9 of either side: nothing acknowledged is lost, nothing shown twice',
  async (t) => {
    const killed = daemons.bob
    killed?.child.kill('SIGKILL')
    await killed?.ended
    for (const text of ['one', 'two', 'three'])
      t.match(await ask('alice', 'chat', 'send', 'bob', text), { messageId: String })
    daemons.alice?.child.kill('SIGKILL')
    await daemons.alice?.ended
    await Promise.all([goOnline('alice'), goOnline('bob')])
    const all = ['hello bob', 'hello\nalice ✓', 'one', 'two', 'three']
    const rows = await eventually('all of it, once', () => texts('bob', 'alice'), holds(...all))
    t.same(
      rows.map((row) => row.at),
      rows.map((row) => row.at).sort((a, b) => a - b),
      'in order',
    )

    // Killed in the middle of a burst; whatever a command said was kept comes out once at the other side.
    const burst = Array.from({ length: 6 }, (_, i) => `burst ${i}`)
    const sending = burst.map((text) => people.alice.run(['chat', 'send', 'bob', text, '--json']))
    await Promise.race(sending)
    daemons.alice?.child.kill('SIGKILL')
    const outcomes = await Promise.all(sending)
    const acknowledged = burst.filter((_, i) => outcomes[i]?.code === 0)
    t.ok(acknowledged.length > 0)
    await goOnline('alice')
    const kept = said(await texts('alice', 'bob'))
    for (const text of acknowledged) t.ok(kept.includes(text), `${text} was acknowledged and is kept`)
    const arrived = await eventually(
      'the burst',
      () => texts('bob', 'alice'),
      (r) => r.length === kept.length,
    )
    t.same(said(arrived), kept, 'the same conversation on both sides, each message once')
  },
)

t.test(
  'PRE-1 PRE-6 a check answers at once; who goes offline by hand is seen so, and back again',
  async (t) => {
    t.match(await ask('alice', 'friend', 'check', 'bob'), { status: 'online', age: Number })
    t.match(await ask('bob', 'presence', 'offline'), { status: 'offline' })
    const status = async () => (await peek('alice', 'friend.check', { who: 'bob' }))['status']
    t.equal(await eventually('offline', status, (value) => value !== 'online'), 'offline')
    t.match(await ask('bob', 'presence', 'online'), { status: 'online' })
    t.equal(await eventually('online', status, (value) => value === 'online'), 'online')
  },
)

t.test('ARC-1 with the tracker dead, friends who know each other still talk', async (t) => {
  await tracker.close()
  const state = await ask(
    'alice',
    'chat',
    'send',
    'bob',
    'no tracker',
    '--wait',
    'delivered',
    '--timeout',
    '60',
  )
  t.equal(state['state'], 'delivered')
  const status = await ask('alice', 'status')
  t.match(status, {
    daemon: true,
    trackers: [{ ok: false }],
    contacts: [{ nickname: 'bob', status: 'online' }],
  })
})

t.test('--follow prints every message once as it comes, one object a line', async (t) => {
  const following = people.bob.begin(['chat', 'read', 'alice', '--follow', '--limit', '1', '--json'])
  let printed = ''
  following.child.stdout?.on('data', (text: string) => (printed += text))
  await eventually(
    'the newest',
    () => Promise.resolve(printed),
    (text) => text.includes('\n'),
  )
  await ask('alice', 'chat', 'send', 'bob', 'as it comes')
  await eventually(
    'the next',
    () => Promise.resolve(printed),
    (text) => text.includes('as it comes'),
  )
  following.child.kill('SIGINT')
  const { code, stdout } = await following.ended
  t.equal(code, 130, 'interrupted')
  t.same(
    stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Text).text),
    ['no tracker', 'as it comes'],
  )
})

t.test('CAM-1 a stranger who knocks sees a small web site and nothing of a messenger', async (t) => {
  const { listening } = daemons.bob?.ready as { listening: string }
  const [host, port] = listening.split(':')
  const get = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; body: string; headers: string }>((resolve, reject) => {
      const asked = request({ host, port, path, headers }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, headers: JSON.stringify(response.headers) }),
        )
      })
      asked.on('error', reject)
      asked.end()
    })
  const plain = await get('/')
  t.equal(plain.status, 200)
  t.match(plain.body, /<html/i)
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  }
  const knocked = await get('/', { ...upgrade, cookie: `sid=${Buffer.alloc(72, 9).toString('base64url')}` })
  t.equal(knocked.status, 200)
  t.equal(knocked.body, plain.body)
  for (const text of [plain.headers, plain.body]) t.notMatch(text, /sotto|websocket|bob|alice/i)
})

t.test('garbage on the local socket does not disturb the daemon', async (t) => {
  t.ok(existsSync(socketOf('bob')))
  const odd = [
    ['__proto__', {}],
    ['chat.send', { who: 7 }],
    ['chat.read', { who: 'alice', limit: -1 }],
    ['chat.send', []],
  ] as const
  for (const [method, params] of odd) await t.rejects(peek('bob', method, params), { code: 'usage' }, method)
  t.match(await ask('bob', 'daemon', 'status'), { running: true })
})

t.test(
  'RCV-4 long texts full of control characters are all shown, and only then count as read',
  async (t) => {
    const heavy = Array.from({ length: 12 }, (_, i) => `${i}${'\u0001'.repeat(16_000)}`)
    for (const text of heavy) await peek('bob', 'chat.send', { who: 'alice', text })
    const last = await eventually(
      'all came',
      () => texts('alice', 'bob'),
      (messages) => messages.length >= heavy.length && messages.at(-1)?.text === heavy.at(-1),
    )
    t.same(
      last.slice(-heavy.length).map(({ text }) => text),
      heavy,
      'an answer longer than one line of the socket',
    )
  },
)

t.test('ES-2 ES-4 both logs fold to what is shown, and audit without a network', async (t) => {
  for (const name of ['alice', 'bob'] as const) {
    const replay = await ask(name, 'log', 'replay', '--verify')
    const projections = replay['projections'] as { equal: boolean }[]
    t.ok(projections.length > 0 && projections.every((row) => row.equal), `${name}'s replay`)
    t.match(await ask(name, 'log', 'audit'), { ok: true, problems: [] })
  }
})

t.test('SND-3 without a daemon a message is kept, and that is said; a profile in use is busy', async (t) => {
  for (const name of ['alice', 'bob'] as const) {
    await ask(name, 'daemon', 'stop')
    t.equal((await daemons[name]?.ended)?.code, 0)
  }
  const log = join(people.alice.data, 'default', 'log')
  const before = new Set(readdirSync(log))
  const alone = ['chat', 'send', 'bob', 'alone', '--wait', 'delivered', '--timeout', '8', '--json']
  const send = people.alice.begin(alone)
  await eventually(
    'the segment that every opening begins, once it has the lock',
    () => Promise.resolve(readdirSync(log)),
    (files) => files.some((file) => file.endsWith('.seg') && !before.has(file)),
  )
  const other = await people.alice.run(['chat', 'list', '--json'])
  t.match(other.json, { error: { code: 'profile-busy' } })
  const { code, json, stderr } = await send.ended
  t.equal(code, 0)
  t.match(json, { state: 'queued' })
  t.match(stderr, /not delivered in the time given; it is queued/)
})

t.test('ID-2 ID-3 a stopped data directory shows no id, name, text or time of an event', (t) => {
  const needles = new Map<string, Buffer>()
  for (const name of ['alice', 'bob'] as const) {
    needles.set(`id of ${name}`, Buffer.from(ids[name]))
    needles.set(`beginning of the id of ${name}`, Buffer.from(ids[name].slice(0, 16)))
    needles.set(`address key of ${name}`, Buffer.from(addressOf(ids[name])))
  }
  for (const text of [
    'alice',
    'nickname',
    'hello bob',
    'as it comes',
    'no tracker',
    '127.0.0.1',
    'sotto-tracker',
  ]) {
    needles.set(text, Buffer.from(text))
  }
  for (const at of times) timeNeedles(at).forEach((needle, i) => needles.set(`time ${at}, form ${i}`, needle))
  for (const name of ['alice', 'bob'] as const) {
    const files = readdirSync(people[name].data, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    t.ok(files.length > 5)
    for (const file of files) search(t, join(file.parentPath, file.name), needles)
  }
  t.end()
})

function search(t: Test, path: string, needles: ReadonlyMap<string, Buffer>): void {
  const bytes = readFileSync(path)
  const found = [...needles].filter(([, needle]) => bytes.includes(needle)).map(([name]) => name)
  if (/\b1[78]\d{11}\b|\b20\d\d[-/]\d\d[-/]\d\d/.test(bytes.toString('latin1')))
    found.push('a time in digits')
  t.same(found, [], path.slice(directory.length))
}

/** A time as the formats might write it: 6 bytes or a double, either end first. */
function timeNeedles(at: number): Buffer[] {
  const [bytes, double] = [Buffer.alloc(6), Buffer.alloc(8)]
  bytes.writeUIntBE(at, 0, 6)
  double.writeDoubleBE(at)
  return [bytes, Buffer.from(bytes).reverse(), double, Buffer.from(double).reverse()]
}
