import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { packContents } from '../src/events/log/transfer/pack-contents.js'
import { FactStore } from '../src/events/store/fact-store.js'
import type { Fact, FactData, FactType } from '../src/events/vocabulary/facts.js'
import { SottoError } from '../src/foundation/errors.js'
import { systemRng } from '../src/foundation/rng.js'
import { sealBundle } from '../src/profile/device/bundle.js'
import { auditFiles } from '../src/profile/audit-files.js'
import { clearLeftovers, finishSwap, swapLog } from '../src/profile/device/swap-log.js'
import { takeOver } from '../src/profile/device/take-over.js'
import { type ProfilePaths, pathsOf } from '../src/profile/paths.js'
import { everyByteIn, framesIn, piecesOf, rowsIn } from './fixtures/forensics.js'
import { fixtureIdentity } from './fixtures/identities.js'
import { certificateOf } from './fixtures/people.js'

/** What others do while a log takes another's place, and what that leaves behind. */
const scratch = mkdtempSync(join(tmpdir(), 'sotto-attacks-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

const alice = fixtureIdentity(0)
const bob = fixtureIdentity(1)
const keys = { root: alice.root, owner: alice.address }
const at = 1_700_000_000_000
const fact = <T extends FactType>(type: T, data: FactData[T]) => ({ type, data }) as Fact
const SET_UP = [
  fact('IdentityCreated', {
    id: alice.id,
    certificate: certificateOf(alice),
    spki: alice.spki,
    origin: 'restored',
  }),
  fact('ProfileChanged', { nickname: 'alice' }),
]
const SAID = 'the key is under the mat'
const heard: FactData['MessageReceived'] = {
  ...{ messageId: 'b0'.repeat(16), checkCode: Buffer.alloc(16, 7), sentAt: at },
  ...{ kind: 'text', body: { text: SAID }, from: bob.id, how: 'link' },
}
let profiles = 0

const optionsOf = ({ log }: ProfilePaths) => ({ ...keys, directory: log, fs: nodeFileSystem, rng: systemRng })

async function device(...groups: readonly (readonly Fact[])[]): Promise<ProfilePaths> {
  const paths = pathsOf(join(scratch, `profile-${profiles++}`))
  mkdirSync(paths.directory, { mode: 0o700 })
  const store = await FactStore.create(optionsOf(paths))
  for (const group of groups) await store.append(group, at)
  await store.close()
  return paths
}

/** A log, and another one whole beside it, as an import has it before the swap. */
async function ready(): Promise<ProfilePaths> {
  const paths = await device(SET_UP)
  cpSync((await device(SET_UP, [fact('LoggedIn', { form: 'file' })])).log, paths.newLog, { recursive: true })
  return paths
}

async function* bundleFrom(paths: ProfilePaths): AsyncGenerator<Uint8Array> {
  const store = await FactStore.open({ ...optionsOf(paths), readOnly: true })
  const opening = { logId: store.logId, owner: alice.address, ...store.head, at }
  const contents = packContents(store.readRecords(), store.head)
  yield* sealBundle(alice.root, systemRng, opening, contents)
  await store.close()
}

const moved = (from: ProfilePaths, to: ProfilePaths) =>
  takeOver({ paths: to, identity: alice, bundle: bundleFrom(from) })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error as SottoError).code,
  )

async function events({ log }: ProfilePaths): Promise<number> {
  const store = await FactStore.open({ ...optionsOf({ log } as ProfilePaths), readOnly: true })
  await store.close()
  return store.head.seq
}

t.test('DEV-1 whoever waits for the lock while a log takes another’s place loses neither', async (t) => {
  for (let round = 0; round < 20; round++) {
    const paths = await ready()
    const [unlock, unlockNew] = [
      await nodeFileSystem.lock(`${paths.log}/lock`),
      await nodeFileSystem.lock(`${paths.newLog}/lock`),
    ]
    const swapping = new AbortController()
    const other = waitingImport(paths, swapping.signal)
    for (let turn = 0; turn < round; turn++) await nextTurn()
    await swapLog(paths)
    await unlock()
    await clearLeftovers(paths)
    await unlockNew()
    swapping.abort()
    await other
    t.equal(await events(paths), 3, 'the new log')
  }
})

/** As a second `device import`, without its patience: as soon as it has the lock it removes leftovers. */
async function waitingImport(paths: ProfilePaths, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      const unlock = await nodeFileSystem.lock(`${paths.log}/lock`)
      await clearLeftovers(paths)
      await unlock()
      return
    } catch (error) {
      if (!(error instanceof SottoError)) throw error
      await nextTurn()
    }
  }
}

t.test('DEV-1 between the renames nothing appears where the log was, and what does is no log', async (t) => {
  const paths = await ready()
  renameSync(paths.log, paths.oldLog)
  t.equal(await codeOf(nodeFileSystem.lock(`${paths.log}/lock`)), 'log-missing')
  t.notOk(existsSync(paths.log), 'a lock makes no log')

  mkdirSync(`${paths.log}/lock`, { recursive: true })
  await clearLeftovers(paths)
  t.ok(existsSync(paths.newLog) && existsSync(paths.oldLog), 'nothing is a leftover while there is no log')
  finishSwap(paths)
  t.equal(await events(paths), 3)
})

t.test('a lock that was asked for once more in the same process is still held against others', async (t) => {
  const path = join(scratch, 'lock')
  const script = `
    import { nodeFileSystem } from ${JSON.stringify(join(import.meta.dirname, '../src/events/file-system/node.js'))}
    await nodeFileSystem.lock(${JSON.stringify(path)}).then(() => console.log('got it'), (e) => console.log(e.code))`
  const another = () =>
    spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    }).stdout.trim()
  const unlock = await nodeFileSystem.lock(path)
  t.equal(await codeOf(nodeFileSystem.lock(path)), 'log-busy')
  t.equal(another(), 'log-busy')
  await unlock()
  await unlock()
  t.equal(another(), 'got it')
  const again = await nodeFileSystem.lock(path)
  await unlock()
  t.equal(await codeOf(nodeFileSystem.lock(path)), 'log-busy', 'who let go has let go')
  await again()
})

t.test('ES-3 DEV-1 what one device forgot is nowhere on the other once it took that log over', async (t) => {
  const desk = await device(SET_UP, [fact('MessageReceived', heard)])
  const laptop = await device(SET_UP)
  await moved(desk, laptop)
  const store = await FactStore.open(optionsOf(desk))
  const { logId } = store
  const holding = async () => (await rowsIn(laptop.projections, alice.root, logId)).filter(holds)
  const rows = await holding()
  t.ok(rows.length > 0, 'the laptop shows it')
  const pieces = piecesOf([...rows, ...(await framesIn(laptop.log, keys)).filter(holds)])
  t.ok(pieces.some((piece) => everyByteIn(laptop.directory).includes(piece)))

  const letter = { messageId: heard.messageId, day: Math.floor(at / 86_400_000) }
  await store.append([fact('ContentForgotten', { letters: [letter], seqs: [3], why: 'asked' })], at)
  await store.forget([3])
  await store.append([fact('ContentErased', { seqs: [3] })], at)
  await store.close()
  await moved(desk, laptop)
  t.equal((await holding()).length, 0)
  const bytes = everyByteIn(laptop.directory)
  t.equal(pieces.filter((piece) => bytes.includes(piece)).length, 0, 'nor as it was sealed before')
})

const holds = ({ plain }: { readonly plain: Buffer }) => plain.includes(SAID)

t.test('ES-4 a copy where nothing can be written, not even a lock, is audited all the same', async (t) => {
  const paths = await device(SET_UP)
  mkdirSync(paths.projections)
  rmSync(`${paths.log}/lock`, { recursive: true })
  writeFileSync(`${paths.log}/lock`, '')
  t.match(await auditFiles({ paths, identity: alice, since: null }), { ok: true, events: 2, compared: null })
})

t.test('DEV-1 of a log that was replaced no key to its segments stays in the file', async (t) => {
  const paths = await ready()
  const names = readdirSync(paths.log).filter((name) => name.endsWith('.seg'))
  // A second name for each file, as an undelete would find it.
  for (const name of names) await nodeFileSystem.link(join(paths.log, name), join(paths.directory, name))
  await swapLog(paths)
  await clearLeftovers(paths)
  t.notOk(existsSync(paths.oldLog))
  for (const name of names) {
    const file = await nodeFileSystem.open(join(paths.directory, name), 'r')
    t.ok((await file.read(0, 384)).equals(Buffer.alloc(384)), name)
    await file.close()
  }
})
