import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Machine, type Running } from '../demo/machine.js'
import { pathsOf, profilePaths } from '../src/profile/paths.js'
import { connectRpc } from '../src/profile/rpc/client.js'
import { fixtureIdentity } from './fixtures/identities.js'
import { loginCheaply, makeProfile } from './fixtures/profiles.js'

/** Alice moves between two computers, and Bob goes on talking to her: real processes, driven by commands. */
const directory = mkdtempSync(join(tmpdir(), 'sotto-device-'))
const PASSPHRASE = 'the same passphrase everywhere'
const machine = (name: string) => new Machine(join(directory, name), PASSPHRASE)
const machines = { desk: machine('desk'), laptop: machine('laptop'), bob: machine('bob') }
const tracker = machine('tracker')
const keyFile = join(directory, 'alice.sotto')
const bundle = join(directory, 'alice.bundle')
const PATIENCE_MS = 60_000
const POLL_MS = 150

type Name = keyof typeof machines
type Answer = Record<string, unknown>

const daemons: Partial<Record<Name, Running>> = {}

t.teardown(async () => {
  await Promise.all([...Object.values(machines), tracker].map((each) => each.close()))
  rmSync(directory, { recursive: true, force: true })
})

async function ask(name: Name, ...argv: readonly string[]): Promise<Answer> {
  const outcome = await machines[name].run([...argv, '--json'])
  if (outcome.code !== 0)
    throw new Error(`${name}: ${argv.join(' ')}: ${outcome.code} ${outcome.stdout}${outcome.stderr}`)
  return outcome.json as Answer
}

/** The code of the error, and the exit code. */
async function refused(name: Name, ...argv: readonly string[]): Promise<unknown[]> {
  const { code, json } = await machines[name].run([...argv, '--json'])
  return [(json as { error?: { code: string } } | undefined)?.error?.code, code]
}

async function goOnline(name: Name): Promise<void> {
  daemons[name] = await machines[name].start(['daemon', 'start', '--listen', '127.0.0.1:0', '--json'])
}

async function goOffline(name: Name): Promise<void> {
  await peek(name, 'daemon.stop', {})
  await daemons[name]?.ended
}

/** Through the daemon's socket, as a command does, without the price of a process. */
async function peek(
  name: Name,
  method: string,
  params: unknown,
  onEvent?: (event: unknown) => void,
): Promise<Answer> {
  const { directory: home, data } = machines[name]
  const file = basename(pathsOf(join(data, 'default')).socket)
  const client = await connectRpc(join(home, 'run', `sotto-${process.getuid?.() ?? 0}`, file))
  if (client === null) throw new Error(`${name} has no daemon`)
  return client
    .call(method, params, { ...(onEvent && { onEvent }) })
    .finally(() => client.close()) as Promise<Answer>
}

const say = (name: Name, who: string, text: string) => peek(name, 'chat.send', { who, text })

async function texts(name: Name, who: string): Promise<string[]> {
  const found: string[] = []
  await peek(name, 'chat.read', { who }, (event) => found.push((event as { text: string }).text))
  return found
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

/** The files of the log, to see that nothing changed. */
function logOf(name: Name): string[] {
  const log = join(machines[name].data, 'default', 'log')
  const files = readdirSync(log).filter((file) => statSync(join(log, file)).isFile())
  return files.map((file) => `${file} ${readFileSync(join(log, file)).toString('base64')}`)
}

const bothSay = (at: Name, ...wanted: readonly string[]) =>
  Promise.all(
    ([at, 'bob'] as const).map((name) =>
      eventually(
        `what ${name} shows`,
        () => texts(name, name === 'bob' ? 'alice' : 'bob'),
        (found) => found.join('|') === wanted.join('|'),
      ),
    ),
  )

t.test('Alice at her desk and Bob are friends and talk', async (t) => {
  await makeProfile(machines.desk, { n: 0, nickname: 'alice', passphrase: PASSPHRASE })
  await makeProfile(machines.bob, { n: 1, nickname: 'bob', passphrase: PASSPHRASE })
  const { url } = (await tracker.start(['tracker', 'run', '--listen', '127.0.0.1:0', '--json'])).ready as {
    url: string
  }
  for (const name of ['desk', 'bob'] as const) {
    await goOnline(name)
    await peek(name, 'tracker.add', { url })
  }
  const { id } = await peek('bob', 'whoami', {})
  await peek('desk', 'friend.add', { id })
  await eventually(
    'request',
    () => peek('bob', 'friend.requests', {}),
    ({ requests }) => (requests as unknown[]).length === 1,
  )
  await peek('bob', 'friend.accept', { who: 'alice' })
  await eventually(
    'acceptance',
    () => peek('desk', 'friend.show', { who: 'bob' }),
    ({ friends }) => (friends as Answer[])[0]?.['state'] === 'friend',
  )
  await say('desk', 'bob', 'from the desk')
  await say('bob', 'alice', 'hello desk')
  await bothSay('desk', 'from the desk', 'hello desk')
  await ask('desk', 'backup', 'create', '--out', keyFile)
  t.match(await peek('desk', 'device.list', {}), { devices: [{ epoch: 1, this: true, active: true }] })
})

t.test('DEV-1 by file: the log is carried over, and both devices hash to the same state', async (t) => {
  const running = await ask('desk', 'device', 'export', '--out', bundle)
  t.match(running, { out: bundle, seq: Number, link: /^[0-9a-f]{64}$/, hash: /^[0-9a-f]{64}$/ })
  t.equal(statSync(bundle).size, running['bytes'], 'written by the daemon, whole')
  t.equal(statSync(bundle).mode & 0o777, 0o600)
  await goOffline('desk')
  const exported = await ask('desk', 'device', 'export', '--out', bundle, '--yes')

  const login = ['login', '--in', keyFile]
  t.match(await ask('laptop', ...login, '--nickname', 'provisional'), { nickname: 'provisional' })
  await loginCheaply(profilePaths(machines.laptop.data, 'default'), fixtureIdentity(0), PASSPHRASE)
  const imported = await ask('laptop', 'device', 'import', bundle, '--yes')
  for (const key of ['seq', 'link', 'hash']) t.equal(imported[key], exported[key], key)
  const [desk, laptop] = [await ask('desk', 'log', 'replay'), await ask('laptop', 'log', 'replay')]
  t.same(laptop, desk, 'and a replay on both says so again')
  t.equal(desk['hash'], exported['hash'])
  t.same(await refused('bob', 'device', 'import', bundle), ['daemon-runs', 1])
})

t.test(
  'DEV-1 the new device goes on where the old one was; the old one learns it, keeps silent and can be read',
  async (t) => {
    await goOnline('laptop')
    t.match(await ask('laptop', 'device', 'list'), {
      devices: [
        { epoch: 1, this: false, active: false },
        { epoch: 2, this: true, active: true },
      ],
    })
    await say('laptop', 'bob', 'from the laptop')
    await say('bob', 'alice', 'hello laptop')
    await bothSay('laptop', 'from the desk', 'hello desk', 'from the laptop', 'hello laptop')

    await goOnline('desk')
    await eventually(
      'superseded',
      () => peek('desk', 'status', {}),
      ({ superseded }) => superseded === true,
    )
    t.same(await refused('desk', 'chat', 'send', 'bob', 'from a ghost'), ['superseded', 1])
    t.match((await machines.desk.run(['status'])).stdout, /^superseded: /m)
    t.same(await texts('desk', 'bob'), ['from the desk', 'hello desk'], 'what it knows it still shows')
    await goOffline('desk')
  },
)

t.test(
  'DEV-1 directly: the device that receives shows a web site to everyone else; a daemon that sends is stopped',
  async (t) => {
    const receiving = await machines.desk.start(['device', 'receive', '--listen', '127.0.0.1:0', '--json'])
    const { listening } = receiving.ready as { listening: string }
    t.match(await (await fetch(`http://${listening}/`)).text(), /<html/i)
    await goOffline('bob')
    t.same(await refused('bob', 'device', 'send', listening), ['wrong-device', 6], 'another identity')
    await goOnline('bob')
    t.equal((await ask('laptop', 'daemon', 'status'))['running'], true)

    const sent = await ask('laptop', 'device', 'send', listening)
    const { code, stdout } = await receiving.ended
    t.equal(code, 0)
    const received = JSON.parse(stdout.slice(stdout.indexOf('\n') + 1)) as Answer
    t.same(received, sent)
    t.equal((await daemons.laptop?.ended)?.code, 0, 'the daemon of the laptop was stopped')

    await goOnline('desk')
    t.match((await peek('desk', 'device.list', {}))['devices'], [
      {},
      { this: false },
      { epoch: 3, this: true, active: true },
    ])
    await say('desk', 'bob', 'back at the desk')
    await say('bob', 'alice', 'welcome back')
    await bothSay(
      'desk',
      ...[
        'from the desk',
        'hello desk',
        'from the laptop',
        'hello laptop',
        'back at the desk',
        'welcome back',
      ],
    )
  },
)

t.test('DEV-1 an older copy of the log takes in what Bob sends again, and nothing doubles', async (t) => {
  const { data } = machines.desk
  const copy = join(directory, 'copy')
  await goOffline('desk')
  cpSync(data, copy, { recursive: true })
  await goOnline('desk')
  await say('bob', 'alice', 'lost with the disk')
  await goOffline('desk')
  rmSync(data, { recursive: true })
  cpSync(copy, data, { recursive: true })
  await say('bob', 'alice', 'while away')
  await goOnline('desk')
  await bothSay(
    'desk',
    ...['from the desk', 'hello desk', 'from the laptop', 'hello laptop', 'back at the desk', 'welcome back'],
    ...['lost with the disk', 'while away'],
  )
  t.match(await peek('desk', 'log.audit', {}), { ok: true, problems: [] })
  await goOffline('desk')
})

t.test('DEV-1 nobody there, or cut off in the middle: network, and nothing changed', async (t) => {
  const before = logOf('laptop')
  t.same(await refused('laptop', 'device', 'receive', '--listen', '127.0.0.1:0', '--timeout', '1'), [
    undefined,
    6,
  ])
  t.same(await refused('desk', 'device', 'send', '127.0.0.1:9', '--timeout', '5'), ['unreachable', 6])
  const receiving = await machines.laptop.start(['device', 'receive', '--listen', '127.0.0.1:0', '--json'])
  const { listening } = receiving.ready as { listening: string }
  const sending = machines.desk.begin(['device', 'send', listening, '--json'])
  sending.child.stderr?.on('data', (text: string) => {
    if (text.includes('the other device is there')) sending.child.kill('SIGKILL')
  })
  await sending.ended
  const { code } = await receiving.ended
  t.equal(code, 6)
  t.same(logOf('laptop'), before)
})
