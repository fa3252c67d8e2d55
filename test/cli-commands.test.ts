import { createHash, createPublicKey } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Machine, type Outcome, type RunOptions } from '../demo/machine.js'
import { systemRng } from '../src/foundation/rng.js'
import { sealBox } from '../src/keys/container.js'
import { payloadOf } from '../src/keys/identity.js'
import { fixtureIdentity, fixturePem } from './fixtures/identities.js'

/** Alice alone at her machine: real processes of bin/run.js on dist. */
const directory = mkdtempSync(join(tmpdir(), 'sotto-cli-'))
const alice = new Machine(join(directory, 'alice'), 'the passphrase of alice')
const file = (name: string) => join(directory, name)
t.teardown(async () => {
  await alice.close()
  rmSync(directory, { recursive: true, force: true })
})

const SECRET = 'hunter2-typed-by-mistake'
const BACKUP = file('alice.sotto')
const profile = join(alice.data, 'default')
let id = ''

writeFileSync(file('key.pem'), fixturePem(0))
writeFileSync(file('wrong'), 'not the passphrase\n')
writeFileSync(file('other'), 'another passphrase\n')

/** Runs with --json. */
const json = (argv: readonly string[], options?: RunOptions) => alice.run([...argv, '--json'], options)

/** The command failed as it should: exit code, code, and one object on stdout that repeats nothing of argv. */
function fails(t: Test, outcome: Outcome, exit: number, code: string, what: string): void {
  t.equal(outcome.code, exit, `${what}: exit code`)
  const { error } = outcome.json as { error?: Record<string, unknown> }
  t.match(error, { code, message: String, hint: String }, what)
  t.same(Object.keys(error ?? {}).sort(), ['code', 'hint', 'message'])
  t.notMatch(outcome.stdout + outcome.stderr, SECRET, 'argv is not repeated')
}

t.test(
  'usage errors and unknown commands are one JSON object and exit code 2; nothing typed is repeated',
  async (t) => {
    const wrong: [string[], string][] = [
      [[SECRET], 'unknown-command'],
      [['chat', SECRET], 'unknown-command'],
      [['friend'], 'unknown-command'],
      [['status', `--${SECRET}`], 'usage'],
      [['status', '--connection', SECRET], 'usage'],
      [['status', SECRET], 'usage'],
      [['log', 'head', SECRET, 'more'], 'usage'],
      [['chat', 'show', 'id', SECRET], 'usage'],
      [['log', 'export', '--from', '2025-02-02', '--to', '2025-02-01'], 'usage'],
      [['chat', 'send', SECRET], 'usage'],
      [['chat', 'send', 'bob', 'hello', '--wait', SECRET], 'usage'],
      [['chat', 'send', 'bob', 'hello', '--timeout', SECRET], 'usage'],
      [['init', '--no-input'], 'missing-answer'],
      [['backup', 'create', '--form', 'qr', '--out', SECRET], 'usage'],
      [['status', '--profile', `../${SECRET}`], 'usage'],
    ]
    const outcomes = await Promise.all(wrong.map(([argv]) => json(argv)))
    outcomes.forEach((outcome, i) => fails(t, outcome, 2, wrong[i]?.[1] ?? '', wrong[i]?.[0].join(' ') ?? ''))
    const plain = await alice.run([SECRET])
    t.equal(plain.code, 2, 'the same without --json')
    t.match((await alice.run(['log', 'head', SECRET])).stderr, /: log head takes no arguments \(usage\)/)
    t.equal(plain.stdout, '')
    t.match(plain.stderr, /^sotto: there is no such command \(unknown-command\)\n {2}run sotto help\n$/)
    t.match((await alice.run(['--version'])).stdout, /^sotto\/\d/)
    t.match((await alice.run(['--help'])).stdout, /friend/)
  },
)

t.test('ID-1 KEY-2 init makes a profile around an imported key, whole or not at all', async (t) => {
  const init = ['init', '--nickname', 'alice', '--key-file']
  writeFileSync(file('small.pem'), fixturePem(0).replace(/[A-Z]/, 'a'))
  fails(t, await json([...init, file('small.pem')]), 2, 'bad-key', 'a damaged key')
  fails(t, await json([...init, file('nothing.pem')]), 3, 'not-found', 'no key')
  fails(
    t,
    await json(['init', '--nickname', 'a\u202eb', '--key-file', file('key.pem')]),
    2,
    'bad-profile',
    'nickname',
  )
  fails(t, await json(['status']), 3, 'no-profile', 'status')
  t.notOk(existsSync(profile), 'nothing is left of what failed')

  const cancelled = await interruptedInit()
  t.equal(cancelled.code, 130, 'an interrupted key generation')
  t.match(cancelled.json, { error: { code: 'cancelled' } })
  t.same(existsSync(alice.data) ? readdirSync(alice.data) : [], [], 'leaves nothing')

  const made = await json([...init, file('key.pem')])
  t.equal(made.code, 0, made.stderr)
  const der = createPublicKey(fixturePem(0)).export({ type: 'spki', format: 'der' })
  const hex = (algorithm: string) => createHash(algorithm).update(der).digest('hex')
  t.match(made.json, { nickname: 'alice', bits: 8192, fingerprint: hex('sha256'), md5: hex('md5') })
  id = (made.json as { id: string }).id
  t.match(id, /^[A-Z2-7]{60}$/)
  t.equal(statSync(profile).mode & 0o777, 0o700)
  t.equal(statSync(join(profile, 'login.sotto')).mode & 0o777, 0o600)
  t.same(readdirSync(profile).sort(), ['log', 'login.sotto'])
  fails(t, await json([...init, file('key.pem')]), 1, 'profile-exists', 'a second init')
})

/** Ctrl-C as soon as the search for primes begins. */
function interruptedInit(): Promise<Outcome> {
  const onTalk = (text: string) => {
    if (text.includes('8192')) init.child.kill('SIGINT')
  }
  const init = alice.begin(['init', '--nickname', 'alice', '--json'], { onTalk })
  return init.ended
}

t.test(
  'LGN-2 STO-4 ID-2 keys leave only sealed, or on an explicit request with the passphrase verified',
  async (t) => {
    const daemon = await alice.start(['daemon', 'start', '--listen', 'off', '--json'])
    t.match(daemon.ready, { listening: null, pid: Number })
    const noPassphrase = { env: { SOTTO_PASSPHRASE_FILE: file('wrong') } }

    const shown = await json(['keys', 'show'], noPassphrase)
    t.match(
      shown.json,
      { id, bits: 8192, epoch: 0, signature: /^[0-9a-f]{128}$/, signedBy: id },
      'the daemon is unlocked',
    )
    fails(
      t,
      await json(['keys', 'export', '--plain', '--out', file('p.pem')]),
      2,
      'missing-answer',
      'plain asks',
    )
    const plain = ['keys', 'export', '--plain', '--yes', '--out', file('plain.pem')]
    fails(t, await json(plain, noPassphrase), 4, 'wrong-passphrase', 'verified though the daemon runs')
    t.notOk(existsSync(file('plain.pem')))
    t.equal((await json(plain)).code, 0)
    t.equal(readFileSync(file('plain.pem'), 'utf8'), fixturePem(0), 'the very key that went in')
    t.equal(statSync(file('plain.pem')).mode & 0o777, 0o600)

    fails(t, await json(['chat', 'read', 'nobody']), 3, 'not-found', 'nobody')
    const typo = (id.startsWith('A') ? 'C' : 'A') + id.slice(1)
    fails(t, await json(['friend', 'add', typo]), 2, 'bad-id', 'a typing error is refused with its place')

    const create = [
      'backup',
      'create',
      '--form',
      'file',
      '--out',
      BACKUP,
      '--new-passphrase-file',
      file('other'),
    ]
    const made = await json(create)
    const check16 = /^[0-9a-f]{16}$/
    t.match(made.json, { form: 'file', files: [BACKUP], check: check16, recovery: true, noted: true })
    t.equal(statSync(BACKUP).mode & 0o777, 0o600)
    const other = { env: { SOTTO_PASSPHRASE_FILE: file('other') } }
    const check = ['backup', 'check', '--form', 'file', '--in']
    t.match((await json([...check, BACKUP], other)).json, {
      ok: true,
      complete: true,
      opened: true,
      problems: [],
    })
    const bytes = readFileSync(BACKUP)
    bytes[60] = (bytes[60] ?? 0) ^ 1
    writeFileSync(file('damaged.sotto'), bytes)
    const damaged = await json([...check, file('damaged.sotto')], other)
    t.equal(damaged.code, 1)
    t.match(
      damaged.json,
      { ok: false, problems: [{ code: 'backup-damaged' }] },
      'told before any passphrase is tried',
    )
    fails(t, await json(create), 1, 'file-exists', 'a copy is not overwritten')

    t.equal((await json(['daemon', 'stop'])).code, 0)
    t.equal((await daemon.ended).code, 0)
  },
)

t.test('exit codes of a profile on its own: wrong passphrase, no daemon', async (t) => {
  fails(t, await json(['status', '--passphrase-file', file('wrong')]), 4, 'wrong-passphrase', 'wrong')
  fails(
    t,
    await json(['status'], { env: { SOTTO_PASSPHRASE_FILE: file('missing') } }),
    2,
    'passphrase-file',
    'no file',
  )
  const unread = (name: string) => alice.run(['status'], { env: { SOTTO_PASSPHRASE_FILE: name } })
  t.match((await unread(file('missing'))).stderr, /passphrase file cannot be used: there is no such file/)
  t.match((await unread(directory)).stderr, /passphrase file cannot be used: it cannot be read \(EISDIR\)/)
  t.match((await unread('/dev/zero')).stderr, /passphrase file cannot be used: it is too long/)
  fails(t, await json(['daemon', 'stop']), 3, 'no-daemon', 'no daemon')
  const status = await json(['daemon', 'status'])
  t.equal(status.code, 3)
  t.match(status.json, { running: false })
})

t.test('LGN-1 logged out, only the key file and its passphrase lead back in', async (t) => {
  t.same((await json(['logout'])).json, {})
  t.notOk(existsSync(join(profile, 'login.sotto')))
  t.ok(existsSync(join(profile, 'log', 'keyring')), 'the log stays')
  fails(t, await json(['chat', 'list']), 4, 'logged-out', 'logged out')
  const login = ['login', '--form', 'file', '--in']
  fails(t, await json([...login, file('key.pem')]), 1, 'not-a-backup', 'form comes first')
  fails(t, await json([...login, file('nothing')]), 3, 'not-found', 'no file, as of log audit --in')
  const stranger = await sealBox(
    payloadOf(fixtureIdentity(1), true),
    'backup',
    'another passphrase',
    systemRng,
  )
  writeFileSync(file('stranger.sotto'), stranger)
  const other = { env: { SOTTO_PASSPHRASE_FILE: file('other') } }
  fails(t, await json([...login, file('stranger.sotto')], other), 5, 'wrong-identity', 'another key')
  const back = await json([...login, BACKUP], other)
  t.match(back.json, { id, nickname: 'alice', form: 'file' })
  fails(
    t,
    await json(['backup', 'restore', '--form', 'file', '--in', BACKUP]),
    1,
    'profile-exists',
    'nothing is overwritten',
  )
})

t.test('LGN-1 a machine that has nothing but the key file', async (t) => {
  const fresh = new Machine(join(directory, 'fresh'), 'another passphrase')
  t.teardown(() => fresh.close())
  const login = await fresh.run(['login', '--form', 'file', '--in', BACKUP, '--nickname', 'alice', '--json'])
  t.match(login.json, { id, nickname: 'alice' }, login.stderr)
})

t.test('ID-3 a damaged log is told by exit code 7, and audited all the same', async (t) => {
  const other = { env: { SOTTO_PASSPHRASE_FILE: file('other') } }
  const log = join(profile, 'log')
  const segments = readdirSync(log)
    .filter((name) => name.endsWith('.seg'))
    .sort()
  // Not segment 1: that one was written anew when the recovery seed was erased.
  const segment = Number.parseInt(segments[0] ?? '', 10)
  const first = join(log, segments[0] ?? '')
  const bytes = readFileSync(first)
  const at = 600
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(first, bytes)
  fails(t, await json(['chat', 'list'], other), 7, 'log-corrupt', 'opening')
  const audit = await json(['log', 'audit'], other)
  t.equal(audit.code, 7)
  t.match(audit.json, { ok: false, problems: [{ segment, offset: Number, code: String }] })
})
