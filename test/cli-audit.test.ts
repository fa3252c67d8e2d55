import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Machine, type Outcome } from '../demo/machine.js'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { type LogPlace, openLog } from '../src/events/log/index.js'
import { FactStore } from '../src/events/store/fact-store.js'
import type { Fact } from '../src/events/vocabulary/facts.js'
import { SottoError } from '../src/foundation/errors.js'
import { isDiskFull } from '../src/foundation/system-trouble.js'
import { pack } from '../src/foundation/pack.js'
import { seededRng, systemRng } from '../src/foundation/rng.js'
import { ed25519Public } from '../src/keys/ed25519.js'
import { auditFiles } from '../src/profile/audit-files.js'
import { auditExport } from '../src/profile/audit-export.js'
import { createBackup } from '../src/profile/backup.js'
import { fact } from '../src/profile/decisions/context.js'
import { examine } from '../src/profile/doctor.js'
import { keptReceipt } from '../src/profile/kept-receipt.js'
import { openToRead } from '../src/profile/open.js'
import { profilePaths } from '../src/profile/paths.js'
import type { AuditAnswer } from '../src/profile/proof/audit-profile.js'
import { readReceipt, writeReceipt } from '../src/profile/proof/receipt.js'
import { openKeyFile } from '../src/profile/unlock.js'
import { openProjections } from '../src/projections/engine.js'
import { type Forgeable, erased, forge, framesOf, saying } from './fixtures/forged-log.js'
import { fixtureIdentity } from './fixtures/identities.js'
import { systemError } from './fixtures/faulty-file-system.js'
import { makeProfile } from './fixtures/profiles.js'

/** Alice's machine; what Mallory, who took disk and keys, does to a copy of her profile. */
const directory = mkdtempSync(join(tmpdir(), 'sotto-audit-'))
const PASSPHRASE = 'the passphrase of alice'
const alice = new Machine(join(directory, 'alice'), PASSPHRASE)
const paths = profilePaths(alice.data, 'default')
const pristine = join(directory, 'pristine')
const earlier = join(directory, 'earlier')
const identity = fixtureIdentity(0)
const place: LogPlace = {
  directory: paths.log,
  fs: nodeFileSystem,
  root: identity.root,
  owner: identity.address,
}
const options = { ...place, rng: systemRng, merge: 'off' } as const
const ROUNDS = 3
const APPENDS = 3
t.teardown(async () => {
  await alice.close()
  rmSync(directory, { recursive: true, force: true })
})

interface Audit {
  readonly ok: boolean
  readonly events: number
  readonly seq: number
  readonly link: string
  readonly problems: readonly { segment: number; offset: number; code: string; detail?: string }[]
  readonly compared: number | null
  readonly pending: number
}
interface Head {
  readonly seq: number
  readonly link: string
  readonly receipt: string
}

let head: Head
const segment = (n: number) => join(paths.log, `${String(n).padStart(8, '0')}.seg`)
const json = (argv: readonly string[]): Promise<Outcome> => alice.run([...argv, '--json'])
/** As a command of its own. */
const audited = (...argv: string[]) => json(['log', 'audit', ...argv])
/** The same in this process, which takes no key stretching. */
const seen = (since?: string): Promise<AuditAnswer> =>
  auditFiles({ paths, identity: fixtureIdentity(0), since: since === undefined ? null : readReceipt(since) })

/** Every scenario begins with the same profile. */
function restore(from = pristine): void {
  rmSync(paths.directory, { recursive: true, force: true })
  cpSync(from, paths.directory, { recursive: true })
}

/** These problems and no others; of a command, exit code 7. */
function finds(t: Test, outcome: Outcome | AuditAnswer, problems: Audit['problems'], what: string): Audit {
  if ('code' in outcome) t.equal(outcome.code, 7, `${what}: exit code`)
  const audit = ('code' in outcome ? outcome.json : outcome) as Audit
  t.notOk(audit.ok)
  t.same(audit.problems, problems, what)
  return audit
}
const nowhere = (code: string, detail?: string) => [
  { segment: 0, offset: 0, code, ...(detail === undefined ? {} : { detail }) },
]

async function append(facts: readonly Fact[]): Promise<void> {
  const store = await FactStore.open(options)
  for (const each of facts) await store.append([each], Date.now())
  await store.close()
}

/** As a command leaves them that read everything. */
async function project(): Promise<void> {
  const store = await FactStore.open({ ...options, readOnly: true })
  const { root } = identity
  const where = { directory: paths.directory, root, logId: store.logId, store, rng: systemRng }
  await (await openProjections(where)).close()
  await store.close()
}

/** Segments are numbered from 1, their places count from 0; each round has written one of single appends. */
async function frame(n: number, which: number): Promise<Forgeable> {
  const found = (await framesOf(place, n - 1)).at(which)
  if (found === undefined) throw new RangeError(`segment ${n} has no frame ${which}`)
  return found
}

const named = (nickname: string): Fact => fact('ProfileChanged', { nickname })

t.before(async () => {
  await makeProfile(alice, { n: 0, nickname: 'alice', passphrase: PASSPHRASE })
  for (let round = 1; round <= ROUNDS; round++) {
    if (round === ROUNDS) {
      await project()
      cpSync(paths.directory, earlier, { recursive: true })
    }
    await append(Array.from({ length: APPENDS }, (_, i) => named(`alice ${round} ${i}`)))
  }
  await project()
  cpSync(paths.directory, pristine, { recursive: true })
})

t.test('ES-4 a whole log: head gives a receipt, and the audit agrees with it', async (t) => {
  const first = await json(['log', 'head'])
  head = first.json as Head
  t.match(head, { seq: Number, link: /^[0-9a-f]{64}$/, receipt: /^sotto-receipt-1:/ }, first.stderr)
  const kept = join(directory, 'receipt')
  writeFileSync(kept, first.stdout)
  const whole = await audited('--since', kept)
  t.equal(whole.code, 0, whole.stdout)
  const audit = whole.json as Audit
  t.match(audit, { ok: true, events: head.seq, seq: head.seq, link: head.link, problems: [], pending: 0 })
  t.ok((audit.compared ?? 0) > 8, 'and with what is shown')
  writeFileSync(kept, `${head.receipt}\n${head.receipt}\n`)
  await t.rejects(keptReceipt(kept), { code: 'bad-receipt' }, 'two of them')
  t.equal(await keptReceipt(` ${head.receipt}\n`), head.receipt)
  t.match(await audited('--since', 'nonsense'), { code: 2, json: { error: { code: 'bad-receipt' } } })
})

t.test('ES-1 ES-4 a flipped bit: segment, offset, and what verifies before and behind it', async (t) => {
  restore()
  const { start } = await frame(3, 1)
  const bytes = readFileSync(segment(3))
  bytes[start.offset + 30]! ^= 0x04
  writeFileSync(segment(3), bytes)
  const audit = finds(t, await audited(), [{ segment: 3, offset: start.offset, code: 'frame' }], 'one bit')
  t.equal(audit.seq, start.nextSeq - 1, 'the gapless beginning ends before it')
  t.not(audit.link, head.link)
  t.equal(audit.events, head.seq - 2, 'all but the record in it and the one behind it in its segment')
  const told = [{ segment: 3, offset: start.offset, code: 'frame' }, ...nowhere('receipt-unreached')]
  finds(t, await seen(head.receipt), told, 'what lies behind damage cannot be held against a receipt')
  t.match(
    await json(['chat', 'list']),
    { code: 7, json: { error: { code: 'log-corrupt' } } },
    'it does not open',
  )
})

t.test('ES-1 ES-4 a cut tail, a removed segment, swapped segments', async (t) => {
  restore()
  const { start } = await frame(4, -1)
  writeFileSync(segment(4), readFileSync(segment(4)).subarray(0, start.offset))
  const cut = finds(t, await seen(), [{ segment: 4, offset: start.offset, code: 'lost' }], 'a cut tail')
  t.match(cut, { seq: head.seq - 1, events: head.seq - 1 })

  restore()
  rmSync(segment(3))
  finds(t, await seen(), [{ segment: 3, offset: 0, code: 'segment-missing' }], 'a removed segment')

  restore()
  renameSync(segment(2), join(paths.log, 'held'))
  renameSync(segment(3), segment(2))
  renameSync(join(paths.log, 'held'), segment(3))
  const header = (n: number) => ({ segment: n, offset: 0, code: 'segment-header' })
  finds(t, await seen(), [header(2), header(3)], 'swapped segments')
})

t.test('ES-1 ES-4 a directory that was put back is told by a receipt, and only by one', async (t) => {
  restore(earlier)
  t.match(await seen(), { ok: true }, 'it is a whole log, of earlier')
  const back = finds(t, await audited('--since', head.receipt), nowhere('rolled-back'), 'the receipt')
  t.equal(back.seq, head.seq - APPENDS)

  await append([named('another'), named('history'), named('from here'), named('on')])
  await project()
  t.match(await seen(), { ok: true, seq: head.seq + 1 })
  finds(t, await seen(head.receipt), nowhere('receipt-link'), 'it went another way since')

  restore()
  rmSync(paths.log, { recursive: true })
  cpSync(join(earlier, 'log'), paths.log, { recursive: true })
  finds(t, await seen(), nowhere('projection', 'another history'), 'the log alone was put back')
})

t.test('ES-1 ES-4 a forged record with a valid frame: in the middle the chain tells', async (t) => {
  restore()
  const forged = await frame(3, 1)
  await forge(place, 2, forged, saying(forged, forged.records[0]!.body))
  const next = forged.end.offset
  finds(
    t,
    await seen(),
    [{ segment: 3, offset: next, code: 'frame' }],
    'the next frame has another link before it',
  )
})

t.test('ES-1 ES-4 as the last one, with anchors that fit: what is shown and the receipt tell', async (t) => {
  restore()
  const forged = await frame(4, -1)
  await forge(place, 3, forged, saying(forged, pack({ nickname: 'mallory' })), true)
  const shown = finds(t, await seen(), nowhere('projection', 'another history'), 'what is shown of it')
  t.match(shown, { seq: head.seq, events: head.seq }, 'the files are flawless')
  t.not(shown.link, head.link)
  const both = [...nowhere('receipt-link'), ...nowhere('projection', 'another history')]
  finds(t, await seen(head.receipt), both, 'and the receipt')
  rmSync(paths.projections, { recursive: true })
  t.match(await seen(), { ok: true, compared: null }, 'without both, nothing could')
  finds(t, await seen(head.receipt), nowhere('receipt-link'), 'the receipt alone')
})

t.test('ES-1 ES-4 what the records say of erasing must fit', async (t) => {
  restore()
  const last = await frame(4, -1)
  await forge(place, 3, last, erased(last), true)
  const { offset } = last.start
  const audit = finds(
    t,
    await seen(),
    [{ segment: 4, offset, code: 'erased-unexplained' }],
    'erased by nobody',
  )
  t.equal(audit.link, head.link, 'the chain holds all the same')

  restore()
  const forgotten = (seqs: number[]) => fact('ContentForgotten', { letters: [], seqs, why: 'asked' })
  await append([forgotten([head.seq])])
  await project()
  t.match(await seen(), { ok: true, pending: 1 }, 'to be erased at the next opening')
  await append([fact('ContentErased', { seqs: [head.seq] })])
  const at = (await frame(5, 0)).start.offset
  finds(t, await seen(), [{ segment: 5, offset: at, code: 'not-erased' }], 'said to be erased, and is not')

  restore()
  await append([forgotten([head.seq])])
  await append([named('one')])
  t.match(await seen(), { pending: 1, problems: [] })
  await append([named('two')])
  finds(t, await seen(), [{ segment: 5, offset: at, code: 'not-erased' }], 'nobody is at work on it any more')
  const lost = await frame(4, -1)
  const bytes = readFileSync(segment(4))
  bytes[lost.start.offset + 30]! ^= 0x04
  writeFileSync(segment(4), bytes)
  const damage = [{ segment: 4, offset: lost.start.offset, code: 'frame' }]
  const unread = finds(t, await seen(), damage, 'of what cannot be read nobody says that it is not erased')
  t.equal(unread.pending, 0)
  bytes[lost.start.offset + 30]! ^= 0x04
  writeFileSync(segment(4), bytes)
  const store = await FactStore.open(options)
  await store.forget([head.seq])
  await store.close()
  rmSync(paths.projections, { recursive: true })
  t.match(await seen(head.receipt), { ok: true, pending: 0 }, 'receipts hold')
})

t.test('ES-4 records of no kind that is known, and what does not open at all', async (t) => {
  restore()
  const log = await openLog(options)
  await log.append([{ type: 9999, version: 1, at: 1, body: Buffer.of(0x80) }])
  await log.append([{ type: 16, version: 1, at: 1, body: Buffer.of(5) }])
  await log.close()
  const [strange, empty] = [(await frame(5, 0)).start.offset, (await frame(5, 1)).start.offset]
  const both = [
    { segment: 5, offset: strange, code: 'unknown-event' },
    { segment: 5, offset: empty, code: 'malformed-event' },
  ]
  finds(t, await seen(), both, 'a newer sotto’s, or nobody’s')

  restore()
  writeFileSync(join(paths.log, 'keyring'), Buffer.alloc(200))
  const told = [...nowhere('keyring'), ...nowhere('receipt-unreached')]
  const audit = finds(t, await seen(head.receipt), told, 'no keyring')
  t.match(audit, { events: 0, seq: 0, link: '0'.repeat(64) })
})

t.test('ES-4 receipts of others and of nobody', async (t) => {
  restore()
  const receipt = readReceipt(head.receipt)
  const mallory = seededRng('mallory').bytes(32)
  const write = (seed: Uint8Array, change: object) => writeReceipt(seed, { ...receipt, ...change })
  const cases: [string, string][] = [
    [write(mallory, {}), 'receipt-signature'],
    [write(mallory, { address: ed25519Public(mallory) }), 'receipt-other-log'],
    [write(identity.addressSeed, { logId: Buffer.alloc(16) }), 'receipt-other-log'],
    [write(identity.addressSeed, { seq: head.seq + 1 }), 'rolled-back'],
    [write(identity.addressSeed, { seq: 1 }), 'receipt-link'],
  ]
  for (const [text, code] of cases) finds(t, await seen(text), nowhere(code), code)
  const words = async (since: string) => (await alice.run(['log', 'audit', '--since', since])).stdout
  t.match(await words(cases[2]?.[0] ?? ''), /whole, but the receipt DOES NOT HOLD/, 'that is no damage')
  t.match(await words(head.receipt), /whole, and the receipt holds/)
})

t.test('ES-4 beside a daemon: head, audit, replay, export, a new key, doctor', async (t) => {
  restore()
  const daemon = await alice.start(['daemon', 'start', '--listen', 'off', '--json'])
  const now = (await json(['log', 'head'])).json as Head
  const audit = (await audited('--since', head.receipt)).json as Audit
  t.match(audit, { ok: true, problems: [] })
  t.ok((audit.compared ?? 0) > 8)
  const replay = await json(['log', 'replay', '--verify'])
  t.equal(replay.code, 0, replay.stderr)
  t.ok((replay.json as { projections: { equal: boolean }[] }).projections.every(({ equal }) => equal))

  const out = join(directory, 'export.ndjson')
  t.match((await json(['log', 'export', '--out', out])).json, { file: out })
  t.equal(statSync(out).mode & 0o777, 0o600)
  t.match(await json(['log', 'export', '--out', out]), { json: { error: { code: 'file-exists' } } })
  const streamed = await alice.run(['log', 'export', '--from', '2020-01-01'])
  t.same(kept(streamed.stdout), kept(readFileSync(out, 'utf8')), 'the same on stdout')
  await strangersView(t, out, now)

  const rotated = await json(['log', 'rekey', '--yes'])
  t.match(rotated, { code: 0, json: { generation: 2 } }, rotated.stderr)
  t.match(
    await audited('--since', head.receipt),
    { code: 0, json: { ok: true, seq: now.seq + 1 } },
    'receipts hold',
  )

  checks(t, await json(['doctor']), { log: true, projections: true, daemon: true, clock: true, device: true })
  t.equal((await json(['daemon', 'stop'])).code, 0)
  await daemon.ended
})

/** Everything but the header, which tells the time. */
const kept = (text: string) => text.trim().split('\n').slice(1)

/** Bob has the file, and nothing of Alice's: no data directory, no passphrase. */
async function strangersView(t: Test, out: string, now: Head): Promise<void> {
  const bob = new Machine(join(directory, 'bob'), 'unused')
  t.teardown(() => bob.close())
  const verify = (...argv: string[]) => bob.run(['log', 'audit', '--in', ...argv, '--json'])
  const { id } = identity
  const seen = await verify(out, '--since', head.receipt)
  t.match(seen, {
    code: 0,
    json: { ok: true, events: now.seq, seq: now.seq, link: now.link, owner: id, problems: [] },
  })
  t.notOk(existsSync(bob.data), 'nothing was made there')
  const ofAnother = writeReceipt(identity.addressSeed, {
    ...readReceipt(head.receipt),
    logId: Buffer.alloc(16),
  })
  const other = await bob.run(['log', 'audit', '--in', out, '--since', ofAnother])
  t.equal(other.code, 7)
  t.match(other.stdout, /disclosed, genuine, but the receipt DOES NOT HOLD\n.*the receipt is of another log/)
  const changed = join(directory, 'changed.ndjson')
  const text = readFileSync(out, 'utf8')
  const at = text.indexOf('alice 3 1')
  writeFileSync(changed, text.replace('alice 3 1', 'alice 3 2'))
  const offset = text.lastIndexOf('\n', at) + 1
  const problems = [{ segment: 0, offset: Buffer.byteLength(text.slice(0, offset)), code: 'export-fact' }]
  finds(t, await verify(changed), problems, 'one word changed')
  await t.rejects(auditExport(join(directory, 'nothing'), undefined), { code: 'not-found' })
}

function checks(t: Test, outcome: Outcome, expected: Record<string, boolean>): void {
  const { checks } = outcome.json as { checks: { name: string; ok: boolean; detail: string }[] }
  const seen = new Map(checks.map(({ name, ok }) => [name, ok]))
  for (const [name, ok] of Object.entries(expected))
    t.equal(seen.get(name), ok, `${name}: ${JSON.stringify(checks)}`)
}

t.test(
  'STO-4 ES-4 a copy of the key can be made with a damaged log, and says what is not in it',
  async (t) => {
    const passphrase = () => Promise.resolve(PASSPHRASE)
    const copy = (name: string) => {
      const out = join(directory, name)
      return createBackup({ paths, out, passphrase, newPassphrase: passphrase }).then((answer) => ({
        out,
        answer,
      }))
    }
    restore()
    const { start } = await frame(3, 1)
    const bytes = readFileSync(segment(3))
    bytes[start.offset + 30]! ^= 0x04
    writeFileSync(segment(3), bytes)
    const first = await copy('damaged.sotto')
    t.match(first.answer, { recovery: true, noted: false }, 'the recovery key stands before the damage')
    const { recoverySeed, root } = await openKeyFile(first.out, passphrase)
    t.same(recoverySeed, identity.recoverySeed)
    t.same(root, identity.root, 'and the key is whole')
    t.same(readFileSync(segment(3)), bytes, 'nothing was changed')

    writeFileSync(join(paths.log, 'keyring'), Buffer.alloc(200))
    const second = await copy('no-keyring.sotto')
    t.match(second.answer, { recovery: null, noted: false }, 'nothing can be read')
    t.match(await openKeyFile(second.out, passphrase), { id: identity.id, recoverySeed: null })
    restore()
    const kept = await unreadableFor(() => copy('unreadable.sotto'))
    t.match(kept.answer, { recovery: null, noted: false }, 'for a moment nothing can be read')
    t.match(
      (await copy('afterwards.sotto')).answer,
      { recovery: true, noted: true },
      'and nothing was erased',
    )
    restore()
    writeFileSync(join(paths.log, 'keyring'), Buffer.alloc(200))
    const out = join(directory, 'told.sotto')
    const told = await alice.run(['backup', 'create', '--form', 'file', '--out', out])
    t.equal(told.code, 0, told.stderr)
    t.match(told.stderr, /does not know of this copy.*\n.*recovery key cannot be read/)
  },
)

/** A system without file descriptors left for whoever reads the log beside its writer. */
async function unreadableFor<T>(work: () => Promise<T>): Promise<T> {
  const files = nodeFileSystem as { open: typeof nodeFileSystem.open }
  const store = FactStore as { open: typeof FactStore.open }
  const [openFile, openStore] = [files.open, store.open]
  store.open = (options) => {
    if (options.readOnly === true)
      files.open = (path, mode) =>
        mode === 'r' ? Promise.reject(systemError('EMFILE')) : openFile(path, mode)
    return openStore.call(FactStore, options)
  }
  try {
    return await work()
  } finally {
    files.open = openFile
    store.open = openStore
  }
}

t.test(
  'ES-2 a disk that takes nothing more: all can be read, nothing is kept, and that is said',
  async (t) => {
    restore()
    const files = () =>
      readdirSync(paths.directory, { recursive: true, encoding: 'utf8' })
        .filter((name) => statSync(join(paths.directory, name)).isFile())
        .map((name) => [name, readFileSync(join(paths.directory, name)).toString('base64')])
    const before = files()
    const profile = await openToRead({ paths, identity: fixtureIdentity(0) })
    t.equal(profile.view.seq, head.seq, 'everything is shown')
    t.equal(profile.view.self()?.nickname, `alice ${ROUNDS} ${APPENDS - 1}`)
    await t.rejects(profile.append([named('no room')]), { code: 'disk-full', exitCode: 7 })
    await profile.close()
    t.same(files(), before, 'and nothing was written')
    const full = Object.assign(new Error(), { code: 'ENOSPC' })
    t.ok(isDiskFull(new SottoError('log-failed', undefined, { cause: full })), 'whatever became of it')
    const level = Object.assign(new Error('IO error: /a/MANIFEST-000001: No space left on device'), {
      code: 'LEVEL_IO_ERROR',
    })
    t.ok(
      isDiskFull(new SottoError('projections-damaged', undefined, { cause: level })),
      'also in LevelDB’s words',
    )
    t.notOk(isDiskFull(new Error('No space left on device')), 'and not in anybody’s')
  },
)

t.test('ES-4 doctor without a daemon reads the log, tells what is wrong, and changes nothing', async (t) => {
  restore()
  const well = await json(['doctor'])
  t.equal(well.code, 0, well.stdout)
  checks(t, well, {
    node: true,
    'data-directory': true,
    'login-file': true,
    log: true,
    projections: true,
    disk: true,
  })
  const quick = await examine({ paths, passphrase: null })
  t.ok(
    quick.every(({ ok }) => ok),
    JSON.stringify(quick),
  )
  t.notOk(quick.some(({ name }) => name === 'projections'))

  const { start } = await frame(2, 0)
  const bytes = readFileSync(segment(2))
  bytes[start.offset + 30]! ^= 0x04
  writeFileSync(segment(2), bytes)
  const ill = await json(['doctor'])
  t.equal(ill.code, 1)
  checks(t, ill, { log: false, 'login-file': true })
  t.same(readFileSync(segment(2)), bytes)

  restore()
  await FactStore.open(options).then(async (store) => {
    await store.append([named('from the future')], Date.now() + 86_400_000)
    await store.close()
  })
  const checked = await examine({ paths, passphrase: () => Promise.resolve(PASSPHRASE) })
  t.equal(checked.find(({ name }) => name === 'clock')?.ok, false)
  const wrong = await examine({ paths, passphrase: () => Promise.resolve('mallory’s guess') })
  t.match(
    wrong.find(({ name }) => name === 'passphrase'),
    { ok: false },
  )
})
