import { mkdtempSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { Machine, type Outcome } from '../demo/machine.js'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { openLog } from '../src/events/log/index.js'
import type { Fact } from '../src/events/vocabulary/facts.js'
import { equalBytes, toHex } from '../src/foundation/bytes.js'
import { hash } from '../src/foundation/crypto.js'
import { pack } from '../src/foundation/pack.js'
import { systemRng } from '../src/foundation/rng.js'
import { queueMessage } from '../src/profile/decisions/queue-message.js'
import { dispatch } from '../src/profile/dispatch.js'
import { Host } from '../src/profile/host.js'
import { openProfile } from '../src/profile/open.js'
import { pathsOf } from '../src/profile/paths.js'
import { connectRpc } from '../src/profile/rpc/client.js'
import { certificateOf } from './fixtures/people.js'
import { everyByteIn, framesIn, piecesOf, rowsIn } from './fixtures/forensics.js'
import { fixtureIdentity } from './fixtures/identities.js'
import { makeProfile } from './fixtures/profiles.js'

/** Alice's machine; what Bob did stands in her log, since nothing here is about the network. */
const directory = mkdtempSync(join(tmpdir(), 'sotto-forgetting-'))
const PASSPHRASE = 'the passphrase of alice'
const alice = new Machine(join(directory, 'alice'), PASSPHRASE)
const paths = pathsOf(join(alice.data, 'default'))
const bob = fixtureIdentity(1)
/** What a guesser would try first. */
const SAID = 'meet at 9'
const HEARD = 'the key is under the mat'
const heard = { messageId: 'b0'.repeat(16), checkCode: Buffer.alloc(16, 7), sentAt: Date.now() - 5_000 }
const SALT_BYTES = 16
const GUESSES = 10_000

t.teardown(async () => {
  await alice.close()
  rmSync(directory, { recursive: true, force: true })
})

async function run(...argv: readonly string[]): Promise<Outcome> {
  return alice.run([...argv, '--json'])
}

async function ask<T>(...argv: readonly string[]): Promise<T> {
  const outcome = await run(...argv)
  if (outcome.code !== 0)
    throw new Error(`${argv.join(' ')}: ${outcome.code} ${outcome.stdout}${outcome.stderr}`)
  return outcome.json as T
}

/** Through the daemon's socket, as a command does, without the price of a process. */
async function peek(method: string, params: unknown, onEvent: (event: unknown) => void = () => undefined) {
  const file = basename(paths.socket)
  const client = await connectRpc(join(alice.directory, 'run', `sotto-${process.getuid?.() ?? 0}`, file))
  if (client === null) throw new Error('no daemon runs')
  return client.call(method, params, { onEvent }).finally(() => client.close())
}

/** Alice's own keys: who has them can open everything that is there. */
let keys: { readonly root: Buffer; readonly owner: Buffer }
let logId: Uint8Array

/** What was said so far, and a receipt of it. */
async function tell(): Promise<{ seq: number; link: string; receipt: string }> {
  const opened = fixtureIdentity(0)
  keys = { root: Buffer.from(opened.root), owner: Buffer.from(opened.address) }
  const profile = await openProfile({ paths, identity: opened })
  logId = Buffer.from(profile.store.logId)
  const host = new Host(profile)
  const { id, spki } = bob
  const who = { id, certificate: certificateOf(bob), spki, nickname: 'bob' }
  const token = Buffer.alloc(32, 5)
  const facts: readonly Fact[] = [
    { type: 'FriendRequested', data: { id, token } },
    { type: 'ContactLearned', data: who },
    { type: 'FriendAcceptanceReceived', data: { id, nickname: 'bob', token, secret: token, endpoints: [] } },
    {
      type: 'MessageReceived',
      data: { ...heard, from: id, how: 'link', kind: 'text', body: { text: HEARD } },
    },
  ]
  await profile.append(facts)
  said = (await profile.decide((deciding) => queueMessage(deciding, id, SAID))).messageId
  const nobody = new AbortController().signal
  const head = await dispatch(host, 'log.head', {}, () => undefined, nobody)
  await host.close()
  return head as { seq: number; link: string; receipt: string }
}

/** Whatever the log still holds of the records whose body has these bytes, by seq. */
async function keptOf(wanted: (body: Buffer, seq: number) => boolean) {
  const log = await openLog({ ...logPlace(), readOnly: true })
  try {
    const found = []
    for await (const { seq, erased, kept, body } of log.read(1)) {
      if (wanted(Buffer.from(body), seq)) found.push({ seq, erased, kept: Buffer.from(kept) })
    }
    return found
  } finally {
    await log.close()
  }
}

function logPlace() {
  return { directory: paths.log, fs: nodeFileSystem, ...keys, rng: systemRng }
}

const plainsOf = (found: readonly { readonly plain: Buffer }[]) =>
  Buffer.concat(found.map(({ plain }) => plain))

/** Nothing on the disk, opened with every key there is, has any of it. */
async function isNowhere(t: Test, traces: readonly Buffer[], pieces: readonly Buffer[]): Promise<void> {
  const raw = everyByteIn(paths.directory)
  t.notOk(
    traces.some((trace) => raw.includes(trace)),
    'not in any file',
  )
  t.notOk(
    pieces.some((piece) => raw.includes(piece)),
    'nor the sealed bytes that held it',
  )
  const frames = plainsOf(await framesIn(paths.log, keys))
  t.ok(frames.length > 1000)
  t.notOk(
    traces.some((trace) => frames.includes(trace)),
    'nor in any frame, opened',
  )
  const rows = plainsOf(await rowsIn(paths.projections, keys.root, logId))
  t.ok(rows.includes('bob'), 'projections open with the keys there are')
  t.notOk(
    traces.some((trace) => rows.includes(trace)),
    'nor in any row, opened',
  )
}

let said = ''
let before: { seq: number; link: string; receipt: string }
let record: { seq: number; salt: Buffer; body: Buffer }
let seed: Buffer
let sealed: Buffer[] = []

t.test('Alice writes something short to Bob', async (t) => {
  await makeProfile(alice, { n: 0, nickname: 'alice', passphrase: PASSPHRASE })
  before = await tell()
  const [found, ...others] = await keptOf((body) => body.includes(SAID))
  t.same(others, [])
  if (found === undefined) throw new Error('the message is not in the log')
  record = { seq: found.seq, salt: found.kept.subarray(0, SALT_BYTES), body: found.kept.subarray(SALT_BYTES) }
  const [kept] = await keptOf((_, seq) => seq === 2)
  seed = Buffer.from(kept?.kept.subarray(-32) ?? '')
  const traces = [
    ...(await framesIn(paths.log, keys)),
    ...(await rowsIn(paths.projections, keys.root, logId)),
  ]
  const holders = traces.filter(({ plain }) => plain.includes(SAID))
  sealed = piecesOf(holders)
  const raw = everyByteIn(paths.directory)
  t.ok(holders.length >= 3, 'a frame, a message, a letter to be sent')
  t.ok(
    sealed.every((piece) => raw.includes(piece)),
    'where they lie is found',
  )
  t.notOk(raw.includes(SAID), 'sealed, of course')
})

t.test('ID-3 a forgotten message is not on the disk any more, in no form and under no key', async (t) => {
  t.equal((await run('chat', 'forget', said)).code, 2, 'it asks, or needs --yes')
  t.same(await ask('chat', 'forget', said, '--yes'), { messageId: said, forgotten: true })
  const traces = [Buffer.from(SAID), pack({ text: SAID }), record.salt, record.body]
  await isNowhere(t, traces, sealed)
})

t.test('ID-3 what stays of it proves the log, and confirms no guess', async (t) => {
  const [found] = await keptOf((_, seq) => seq === record.seq)
  t.equal(found?.erased, true)
  const commitment = found?.kept ?? Buffer.alloc(0)
  // Who had kept the salt could show what was said. Without it, a guesser who has the right body, all of it, must try
  // 2^128 salts: to see that the salt counts in full, none of ten thousand others verifies, nor any one bit away.
  t.ok(equalBytes(hash('sotto/body/1', record.salt, record.body), commitment))
  const random = Array.from({ length: GUESSES }, () => randomBytes(SALT_BYTES))
  const near = Array.from({ length: SALT_BYTES * 8 }, (_, bit) => flipped(record.salt, bit))
  const empty = [Buffer.alloc(0), Buffer.alloc(SALT_BYTES)]
  const verifies = (salt: Buffer) => equalBytes(hash('sotto/body/1', salt, record.body), commitment)
  t.notOk([...random, ...near, ...empty].some(verifies))
})

function flipped(salt: Buffer, bit: number): Buffer {
  const other = Buffer.from(salt)
  other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return other
}

t.test('ID-3 the same with a daemon, for a message of Bob’s', async (t) => {
  await alice.start(['daemon', 'start', '--listen', 'off', '--json'])
  const shown = { code: 3, json: { error: { code: 'not-found' } } }
  t.match(await run('chat', 'show', said), shown)
  await t.rejects(peek('chat.forget', { messageId: said }), { code: 'not-found' })
  await t.rejects(peek('chat.forget', { messageId: '../x' }), { code: 'not-found' })
  const found: unknown[] = []
  await peek('chat.search', { text: 'e' }, (event) => found.push(event))
  await peek('chat.read', { who: 'bob' }, (event) => found.push(event))
  t.match(found, [{ text: HEARD }, { text: HEARD }])
  const [kept] = await keptOf((body) => body.includes(HEARD))
  const frames = (await framesIn(paths.log, keys)).filter(({ plain }) => plain.includes(HEARD))
  t.equal(frames.length, 1)
  t.same(await ask('chat', 'forget', heard.messageId, '--yes'), {
    messageId: heard.messageId,
    forgotten: true,
  })
  const raw = everyByteIn(paths.directory)
  t.notOk(piecesOf(frames).some((piece) => raw.includes(piece)))
  const plains = plainsOf(await framesIn(paths.log, keys))
  t.notOk(plains.includes(HEARD) || plains.includes(kept?.kept.subarray(0, SALT_BYTES) ?? HEARD))
  t.same(await peek('chat.list', {}), { conversations: [] }, 'a conversation without messages is none')
})

t.test('ID-3 messages disappear after a time, in one conversation', async (t) => {
  const { id } = bob
  t.same(await ask('chat', 'disappear', 'bob', '--after', '7d'), { id, after: '7d' })
  await peek('chat.send', { who: 'bob', text: 'until later' })
  t.match(await peek('chat.list', {}), { conversations: [{ id, messages: 1, after: '7d' }] })
  t.same(await peek('chat.disappear', { who: 'bob', afterMs: null }), { id, after: 'off' })
  const usage = { code: 2, json: { error: { code: 'usage' } } }
  t.match(await run('chat', 'disappear', 'bob', '--after', '30s'), usage)
  await t.rejects(peek('chat.disappear', { who: 'bob', afterMs: 30_000 }), { code: 'usage' })
  await t.rejects(peek('chat.disappear', { who: 'carol', afterMs: 60_000 }), { code: 'not-found' })
})

t.test('ID-3 the first backup takes the recovery seed out of the profile', async (t) => {
  t.ok(plainsOf(await framesIn(paths.log, keys)).includes(seed))
  await ask('backup', 'create', '--form', 'file', '--out', join(directory, 'alice.sotto'))
  await isNowhere(t, [seed], [])
  t.same(
    (await keptOf((_, seq) => seq === 2)).map(({ erased }) => erased),
    [true],
  )
})

t.test('ES-3 the log proves the rest: audit, an earlier receipt, a replay', async (t) => {
  t.match(await ask('log', 'audit', '--since', before.receipt), { ok: true, problems: [] })
  const replayed = await ask<{ hash: string; projections: { equal: boolean }[] }>('log', 'replay', '--verify')
  t.ok(replayed.projections.every(({ equal }) => equal))
  await ask('daemon', 'stop')
  const again = await ask<{ hash: string; projections: { equal: boolean }[] }>('log', 'replay', '--verify')
  t.ok(
    again.projections.every(({ equal }) => equal),
    'also after a restart',
  )
  const log = await openLog({ ...logPlace(), readOnly: true })
  for await (const { link } of log.read(before.seq)) {
    t.equal(link === null ? '' : toHex(link), before.link, 'the head of before is still on the chain')
    break
  }
  await log.close()
})
