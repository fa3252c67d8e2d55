import { isDeepStrictEqual } from 'node:util'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Machine, type Running } from './machine.js'
import { Person } from './person.js'

/** Two people, a tracker, two daemons, and everything by `sotto` commands with --json. Exit code 1 if anything is amiss. */
const PATIENCE_MS = 30_000
const POLL_MS = 200

const started = Date.now()
const directory = mkdtempSync(join(tmpdir(), 'sotto-demo-'))
const alice = new Person('alice', join(directory, 'alice'))
const bob = new Person('bob', join(directory, 'bob'))
const host = new Machine(join(directory, 'tracker'), 'unused')

const interrupted = new Promise<never>((_, reject) => {
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => reject(new Error('interrupted')))
})

try {
  await Promise.race([story(), interrupted])
  say(`all of it held, in ${Math.round((Date.now() - started) / 1000)} s`)
} catch (error) {
  process.exitCode = 1
  say(`NOT AS EXPECTED: ${error instanceof Error ? error.message : String(error)}`)
} finally {
  await Promise.all([alice.close(), bob.close(), host.close()])
  rmSync(directory, { recursive: true, force: true })
}

async function story(): Promise<void> {
  say('two people make their identities: RSA of 8192 bits each')
  await alice.init()
  await bob.init()

  say('somebody runs a tracker; both go online and add it by its url')
  const tracker = await host.start(['tracker', 'run', '--listen', '127.0.0.1:0', '--json'])
  const { url } = tracker.ready as { url: string }
  const daemonOfAlice = await alice.daemon()
  let daemonOfBob = await bob.daemon()
  await alice.ask('tracker', 'add', url)
  await bob.ask('tracker', 'add', url)

  await becomeFriends()
  await talk()

  say('bob goes away; what alice writes is kept')
  await stop(daemonOfBob, bob)
  for (const text of ['are you still there?', 'then read this later']) {
    const sent = await alice.ask('chat', 'send', 'bob', text)
    expect('kept for bob', ['queued', 'sent'].includes(String(sent['state'])), true)
  }
  say('bob is back and catches up')
  daemonOfBob = await bob.daemon()
  const all = ['hello bob', 'hello alice', 'are you still there?', 'then read this later']
  await eventually('bob has everything once, in order', async () => bob.texts('alice'), all)
  await eventually('alice sees that bob read it', () => alice.stateOf('bob', 'then read this later'), 'read')

  await replayLogs()
  await stop(daemonOfAlice, alice)
  await stop(daemonOfBob, bob)
  await auditLogs()
}

async function becomeFriends(): Promise<void> {
  say('alice knows only an id; the tracker leads to bob')
  const found = await eventually('who is behind the id', () => alice.ask('friend', 'lookup', bob.id), {
    nickname: 'bob',
  })
  expect('bob is reachable', found['reachable'], true)
  expect('alice asks', (await alice.ask('friend', 'add', bob.id))['state'], 'requested')
  await eventually('bob sees the request', () => bob.ask('friend', 'requests'), {
    requests: [{ nickname: 'alice' }],
  })
  expect('bob accepts', (await bob.ask('friend', 'accept', 'alice'))['state'], 'friend')
  await eventually('alice knows it', () => alice.ask('friend', 'show', 'bob'), {
    friends: [{ state: 'friend' }],
  })
}

async function talk(): Promise<void> {
  say('messages both ways, each acknowledged when it is durable at the other side')
  const there = await alice.ask('chat', 'send', 'bob', 'hello bob', '--wait', 'delivered', '--timeout', '30')
  expect('delivered', there['state'], 'delivered')
  const back = await bob.ask('chat', 'send', 'alice', 'hello alice', '--wait', 'delivered', '--timeout', '30')
  expect('delivered', back['state'], 'delivered')
  expect('bob reads', await bob.texts('alice'), ['hello bob', 'hello alice'])
  expect('alice reads', await alice.texts('bob'), ['hello bob', 'hello alice'])
  await eventually('alice sees that it was read', () => alice.stateOf('bob', 'hello bob'), 'read')
}

async function replayLogs(): Promise<void> {
  for (const person of [alice, bob]) {
    const replay = await person.ask('log', 'replay', '--verify')
    const rows = replay['projections'] as { equal: boolean }[]
    const equal = rows.length > 0 && rows.every((row) => row.equal)
    expect(`${person.name}'s log, folded again, gives what is shown`, equal, true)
  }
}

async function auditLogs(): Promise<void> {
  for (const person of [alice, bob]) {
    expect(`${person.name}'s log is whole, byte for byte`, (await person.ask('log', 'audit'))['ok'], true)
  }
}

async function stop(daemon: Running, person: Person): Promise<void> {
  await person.ask('daemon', 'stop')
  expect(`${person.name}'s daemon ended well`, (await daemon.ended).code, 0)
}

/** Asks again until the answer holds at least what is wanted. */
async function eventually<T>(what: string, ask: () => Promise<T>, wanted: unknown): Promise<T> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T)
    if (holds(answer, wanted)) {
      say(`  ${what}: ${shown(wanted)}`)
      return answer
    }
    if (Date.now() > until) throw new Error(`${what}: ${shown(answer)} instead of ${shown(wanted)}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function expect(what: string, value: unknown, wanted: unknown): void {
  if (!holds(value, wanted)) throw new Error(`${what}: ${shown(value)} instead of ${shown(wanted)}`)
  say(`  ${what}: ${shown(value)}`)
}

/** Objects may hold more than is wanted; everything else is equal. */
function holds(value: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(value) &&
      value.length === wanted.length &&
      wanted.every((each, i) => holds(value[i], each))
    )
  }
  if (typeof wanted !== 'object' || wanted === null) return isDeepStrictEqual(value, wanted)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(wanted).every(([key, each]) => holds((value as Record<string, unknown>)[key], each))
}

function shown(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value)
}

function say(text: string): void {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6)
  process.stdout.write(`${seconds}  ${text}\n`)
}
