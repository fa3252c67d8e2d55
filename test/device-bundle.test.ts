import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { type Log, auditLog, createLog, openLog } from '../src/events/log/index.js'
import { LogImport, leadsTo } from '../src/events/log/transfer/log-import.js'
import { packContents } from '../src/events/log/transfer/pack-contents.js'
import { FactStore } from '../src/events/store/fact-store.js'
import type { Fact, FactData, FactType } from '../src/events/vocabulary/facts.js'
import { SottoError } from '../src/foundation/errors.js'
import { seededRng, systemRng } from '../src/foundation/rng.js'
import { DEVICE_STATEMENT_BYTES, deviceStatement, readDeviceStatement } from '../src/keys/device-statement.js'
import { answer, call, conclude } from '../src/net/device-link/handshake.js'
import { openDeviceFrame, sealDeviceFrame } from '../src/net/device-link/frame.js'
import { deviceSecrets } from '../src/net/device-link/secrets.js'
import { activateDevice } from '../src/profile/decisions/activate-device.js'
import { openBundle, sealBundle } from '../src/profile/device/bundle.js'
import { deviceId, drawDeviceId, readDeviceId } from '../src/profile/device/device-file.js'
import { finishSwap } from '../src/profile/device/swap-log.js'
import { takeOver } from '../src/profile/device/take-over.js'
import { lodgingOf } from '../src/profile/lodging.js'
import { type ProfilePaths, pathsOf } from '../src/profile/paths.js'
import type { SelfRow, View } from '../src/projections/view.js'
import { fixtureIdentity } from './fixtures/identities.js'
import { LOG_DIRECTORY, logOptions, readAll, record } from './fixtures/logs.js'
import { certificateOf } from './fixtures/people.js'

const ELSEWHERE = '/bob/log'
const ROOT = logOptions(memoryFileSystem()).root
/** What a damaged or foreign bundle is called. */
const REFUSED = ['not-a-bundle', 'bundle-version', 'bundle-unopened', 'bundle-damaged']
const scratch = mkdtempSync(join(tmpdir(), 'sotto-device-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

async function bundled(log: Log, root: Uint8Array = ROOT, seed = 'bundle'): Promise<Buffer> {
  const contents = packContents(log.readFrames(), log.head)
  const opening = { logId: log.logId, owner: logOptions(memoryFileSystem()).owner, ...log.head, at: 0 }
  return collect(sealBundle(root, seededRng(seed), opening, contents))
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** In pieces of that many bytes. */
async function* inPieces(bytes: Buffer, size = 1000): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
}

/** Reads a bundle into a log of its own in `fs`. */
async function unbundled(bytes: Buffer, fs = memoryFileSystem(), pieces = 1000, root = ROOT) {
  const { opening, contents } = await openBundle(root, inPieces(bytes, pieces))
  const options = logOptions(fs, {
    directory: ELSEWHERE,
    rng: seededRng('another device'),
    segmentBytes: 4096,
  })
  const into = await LogImport.create(options, opening.logId)
  for await (const content of contents) await into.add(content)
  if (!leadsTo(into.head, opening)) throw new SottoError('bundle-damaged')
  await into.finish()
  await into.close()
  return { fs, options }
}

async function logOf(groups: readonly (readonly string[])[]) {
  const fs = memoryFileSystem()
  const log = await createLog(logOptions(fs, { segmentBytes: 2048 }))
  for (const [i, group] of groups.entries())
    await log.append(group.map((text) => record(text, 1_700_000_000_000 + i)))
  return { fs, log }
}

/** Where chunks end in a bundle. */
function bounds(bundle: Buffer): number[] {
  const found = [25]
  for (let at = 25; at < bundle.length; at = found.at(-1) ?? Infinity)
    found.push(at + 4 + bundle.readUInt32BE(at))
  return found
}

const groupsOf = (log: Log) =>
  readAll(log).then((records) =>
    records.map(({ seq, at, type, kept, link }) => ({ seq, at, type, kept, link })),
  )

t.test(
  'DEV-1 any log comes out the same on another device: chain, salts, what was erased; under keys of its own',
  async (t) => {
    const anyGroups = fc.array(fc.array(fc.string({ maxLength: 600 }), { minLength: 1, maxLength: 40 }), {
      minLength: 1,
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(anyGroups, fc.integer({ min: 1, max: 5000 }), async (groups, pieces) => {
        const { fs, log } = await logOf(groups)
        const erase = [...Array(log.head.seq).keys()].map((i) => i + 1).filter((seq) => seq % 7 === 0)
        await log.forget(erase)
        const there = await unbundled(await bundled(log), memoryFileSystem(), pieces)
        const copy = await openLog(there.options)
        t.same(copy.logId, log.logId)
        t.same(copy.head, log.head)
        t.same(await groupsOf(copy), await groupsOf(log))
        await copy.append([record('goes on')])
        t.same((await auditLog(there.options)).problems, [])
        for (const name of ['keyring', '00000001.seg'])
          t.notOk(
            there.fs
              .contents(`${ELSEWHERE}/${name}`)
              .equals(
                fs.contents(
                  `${LOG_DIRECTORY}/${name === 'keyring' ? name : ((await fs.readdir(LOG_DIRECTORY)).find((each) => each.endsWith('.seg')) ?? '')}`,
                ),
              ),
          )
        await log.close()
        await copy.close()
      }),
      { numRuns: 25 },
    )
  },
)

t.test(
  'DEV-1 a bundle that was cut, flipped, reordered, mixed or made by someone else is refused by name',
  async (t) => {
    const texts = Array.from({ length: 30 }, (_, i) => [`${i}: `.padEnd(9000, 'x')])
    const { log } = await logOf(texts)
    const bundle = await bundled(log)
    const again = await bundled(log, ROOT, 'another salt')
    const foreign = await bundled(log, Buffer.alloc(32, 8))
    const ends = bounds(bundle)
    t.ok(ends.length > 4, `${ends.length} chunks`)
    const refused = async (bytes: Buffer, what: string) => {
      const outcome = await unbundled(bytes).then(
        () => 'taken',
        (error: unknown) => (error as SottoError).code,
      )
      if (!REFUSED.includes(outcome)) t.fail(`${what}: ${outcome}`)
    }
    const cuts = ends.flatMap((end) => [end - 1, end, end + 1, end + 4]).filter((end) => end < bundle.length)
    for (const end of [...Array(30).keys(), ...cuts]) await refused(bundle.subarray(0, end), `cut at ${end}`)
    for (const extra of [1, 4, 40])
      await refused(Buffer.concat([bundle, Buffer.alloc(extra)]), `${extra} too many`)
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.length * 8 - 1), async (bit) => {
        const flipped = Buffer.from(bundle)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        await refused(flipped, `bit ${bit}`)
      }),
      { numRuns: 150 },
    )
    for (let bit = 0; bit < 30 * 8; bit++) {
      const flipped = Buffer.from(bundle)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await refused(flipped, `bit ${bit}`)
    }
    const part = (from: Buffer, n: number) => from.subarray(ends[n], ends[n + 1])
    const parts = (from: Buffer) => ends.slice(0, -1).map((_, n) => part(from, n))
    const head = bundle.subarray(0, 25)
    const swapped = parts(bundle)
    ;[swapped[1], swapped[2]] = [part(bundle, 2), part(bundle, 1)]
    await refused(Buffer.concat([head, ...swapped]), 'swapped')
    await refused(Buffer.concat([head, ...parts(bundle).filter((_, n) => n !== 2)]), 'one left out')
    await refused(
      Buffer.concat([head, ...parts(bundle).flatMap((each, n) => (n === 2 ? [each, each] : [each]))]),
      'one twice',
    )
    const mixed = parts(bundle)
    mixed[2] = part(again, 2)
    await refused(Buffer.concat([head, ...mixed]), 'a part of another bundle')
    await refused(foreign, 'another root')
    t.equal(await unbundled(foreign).catch((error: unknown) => (error as SottoError).code), 'bundle-unopened')
    t.equal(
      await unbundled(Buffer.from('no bundle at all')).catch((error: unknown) => (error as SottoError).code),
      'not-a-bundle',
    )
    t.ok(await unbundled(bundle), 'whole, it is taken')
    await log.close()
  },
)

// What follows happens in real directories: a profile is one, and a log takes another's place by renames.

const alice = fixtureIdentity(0)
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
  fact('FriendSecretDrawn', { secret: Buffer.alloc(32, 1) }),
]
const talk = (n: number) => fact('FriendRequested', { id: fixtureIdentity(1).id, token: Buffer.alloc(32, n) })
const evidence = { epoch: 9, device: Buffer.alloc(16, 9), how: 'contact' } as const
let profiles = 0

/** A profile's directory with a log of these groups and nothing else. */
async function device(...groups: readonly (readonly Fact[])[]): Promise<ProfilePaths> {
  const paths = pathsOf(join(scratch, `profile-${profiles++}`))
  mkdirSync(paths.directory, { mode: 0o700 })
  const store = await FactStore.create(storeOptions(paths))
  for (const group of groups) await store.append(group, at)
  await store.close()
  return paths
}

const storeOptions = ({ log }: ProfilePaths) => ({
  ...{ directory: log, fs: nodeFileSystem, root: alice.root, owner: alice.address, rng: systemRng },
})

async function append(paths: ProfilePaths, ...facts: readonly Fact[]): Promise<void> {
  const store = await FactStore.open(storeOptions(paths))
  await store.append(facts, at)
  await store.close()
}

async function bundleFrom(
  paths: ProfilePaths,
  over: { root?: Uint8Array; owner?: Uint8Array } = {},
): Promise<Buffer> {
  const store = await FactStore.open({ ...storeOptions(paths), readOnly: true })
  const { root, owner } = { root: alice.root, owner: alice.address, ...over }
  const opening = { logId: store.logId, owner, ...store.head, at }
  const bytes = await collect(
    sealBundle(root, systemRng, opening, packContents(store.readRecords(), store.head)),
  )
  await store.close()
  return bytes
}

const take = (paths: ProfilePaths, bundle: Buffer) =>
  takeOver({ paths, identity: alice, bundle: inPieces(bundle) })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'taken',
    (error: unknown) => (error as SottoError).code,
  )

/** Every file of the log, to see that nothing changed. */
function filesOf({ log, newLog, oldLog }: ProfilePaths): string {
  if (existsSync(newLog) || existsSync(oldLog)) return 'leftovers'
  const names = readdirSync(log).filter((name) => statSync(join(log, name)).isFile())
  return names.map((name) => `${name} ${readFileSync(join(log, name)).toString('base64')}`).join('\n')
}

async function headOf(paths: ProfilePaths) {
  const store = await FactStore.open({ ...storeOptions(paths), readOnly: true })
  await store.close()
  return { seq: store.head.seq, link: Buffer.from(store.head.link).toString('hex') }
}

t.test(
  'DEV-1 a log takes the place of one that holds nothing of its own, and of an older one; states hash alike',
  async (t) => {
    const old = await device(SET_UP, [talk(1)], [talk(2)])
    const fresh = await device(SET_UP, [fact('LoggedIn', { form: 'file' })])
    const [first, bundle] = [await headOf(old), await bundleFrom(old)]
    const taken = await take(fresh, bundle)
    t.match(taken, first)
    t.match(taken.hash, /^[0-9a-f]{64}$/)
    t.same(await take(fresh, bundle), taken, 'once more changes nothing')
    t.same(await take(old, bundle), taken, 'where it came from it is known, and the state is the same')
    await append(old, talk(3))
    const later = await take(fresh, await bundleFrom(old))
    t.match(later, await headOf(old))
    t.not(later.hash, '')
    t.equal(filesOf(fresh) === 'leftovers', false)
    t.equal(await codeOf(take(old, bundle)), 'device-ahead', 'an older bundle')
  },
)

t.test(
  'DEV-1 what a device has of its own is never replaced nor merged; what it wrote when it was superseded is',
  async (t) => {
    const old = await device(SET_UP, [talk(1)])
    const other = await device(SET_UP, [talk(1)])
    const foreign = await bundleFrom(other)
    const before = filesOf(old)
    t.equal(await codeOf(take(old, foreign)), 'device-conflict', 'another log of the same person')
    t.equal(filesOf(old), before)

    const second = await device(SET_UP)
    await take(second, await bundleFrom(old))
    await append(second, talk(2))
    const newer = await bundleFrom(second)
    await append(old, fact('DeviceSuperseded', evidence), fact('GateRefused', { what: 'proof', detail: 'x' }))
    t.match(await take(old, newer), await headOf(second), 'back on the first device')

    await append(second, talk(3))
    await append(old, fact('DeviceSuperseded', evidence), talk(4))
    const parted = filesOf(old)
    t.equal(await codeOf(take(old, await bundleFrom(second))), 'device-conflict', 'the histories parted')
    t.equal(filesOf(old), parted)
  },
)

t.test('DEV-1 whatever is wrong with a bundle, or with the disk, nothing is changed', async (t) => {
  const old = await device(SET_UP, ...Array.from({ length: 12 }, (_, n) => [talk(n)]))
  const fresh = await device(SET_UP)
  const before = filesOf(fresh)
  const bundle = await bundleFrom(old)
  for (const end of bounds(bundle)
    .flatMap((each) => [each - 1, each])
    .filter((each) => each < bundle.length))
    t.ok(REFUSED.includes(await codeOf(take(fresh, bundle.subarray(0, end)))), `cut at ${end}`)
  t.equal(await codeOf(take(fresh, await bundleFrom(old, { root: Buffer.alloc(32) }))), 'bundle-unopened')
  t.equal(await codeOf(take(fresh, await bundleFrom(old, { owner: Buffer.alloc(32, 3) }))), 'wrong-identity')
  const lost = async function* () {
    yield* inPieces(bundle.subarray(0, bundle.length - 50))
    await Promise.reject(new SottoError('connection-lost'))
  }
  t.equal(await codeOf(takeOver({ paths: fresh, identity: alice, bundle: lost() })), 'connection-lost')
  const unlock = await nodeFileSystem.lock(`${fresh.log}/lock`)
  t.equal(await codeOf(take(fresh, bundle)), 'profile-busy')
  await unlock()
  t.equal(filesOf(fresh), before)
  t.match(await take(fresh, bundle), await headOf(old))
})

t.test('DEV-1 a crash at any step of the swap leaves one whole log, and which one is known', async (t) => {
  const old = await device(SET_UP, [talk(1)])
  const bundle = await bundleFrom(old)
  const crashed = async (step: (paths: ProfilePaths) => void) => {
    const paths = await device(SET_UP)
    const there = await device(SET_UP)
    await take(there, bundle)
    renameSync(there.log, paths.newLog)
    step(paths)
    t.equal(lodgingOf(paths), 'logged-out', 'a log without a login file, as it is')
    return paths
  }
  const written = await crashed(() => undefined)
  t.equal((await headOf(written)).seq, SET_UP.length, 'before the first rename: the old one')
  const between = await crashed(({ log, oldLog }) => renameSync(log, oldLog))
  t.same(await headOf(between), await headOf(old), 'between the renames: the new one')
  const after = await crashed((paths) => {
    renameSync(paths.log, paths.oldLog)
    renameSync(paths.newLog, paths.log)
  })
  t.same(await headOf(after), await headOf(old))
  for (const paths of [written, between, after]) {
    t.match(await take(paths, bundle), await headOf(old), 'and the import can be done again')
    t.notOk(existsSync(paths.newLog) || existsSync(paths.oldLog), 'what was left behind is gone')
  }
  const halfway = await device(SET_UP)
  mkdirSync(halfway.newLog)
  finishSwap(halfway)
  rmSync(halfway.log, { recursive: true })
  finishSwap(halfway)
  t.notOk(existsSync(halfway.log), 'a log that was not finished never takes a place')
})

t.test(
  'DEV-1 a device keeps its own ID; whoever takes over does so above every epoch that is known',
  async (t) => {
    const paths = await device(SET_UP)
    t.equal(await readDeviceId(paths), null)
    const id = await deviceId(paths, systemRng)
    t.equal(statSync(paths.device).mode & 0o777, 0o600)
    t.same(await deviceId(paths, systemRng), id)
    t.notSame(await drawDeviceId(paths, systemRng), id)

    const decide = (self: Partial<SelfRow>, own = id) => {
      const row = { device: null, superseded: null, deviceConflict: null, ...self } as SelfRow
      const deciding = { view: { self: () => row } as unknown as View, now: at, rng: systemRng }
      const signer = { address: alice.address, addressSeed: alice.addressSeed }
      const [decided] = activateDevice(deciding, { device: own, ...signer })
      return decided?.data as FactData['DeviceActivated'] | undefined
    }
    const active = (epoch: number, own: Uint8Array) => ({ epoch, device: own, statement: Buffer.alloc(0) })
    const first = decide({})
    t.equal(first?.epoch, 1)
    t.same(readDeviceStatement(first?.statement ?? id, alice.address), { epoch: 1, device: id, at })
    t.equal(decide({ device: active(4, id) }), undefined, 'it speaks already')
    t.equal(
      decide({ device: active(4, id), superseded: { epoch: 5, how: 'tracker' } }),
      undefined,
      'superseded, it stays so',
    )
    t.equal(decide({ device: active(4, Buffer.alloc(16)) })?.epoch, 5)
    t.equal(
      decide({ device: active(4, Buffer.alloc(16)), superseded: { epoch: 7, how: 'contact' } })?.epoch,
      8,
    )
  },
)

t.test('DEV-1 a statement is signed by the address key for one device, one epoch and one time', (t) => {
  const bob = fixtureIdentity(1)
  const content = { epoch: 3, device: Buffer.alloc(16, 5), at }
  const bytes = deviceStatement({ ...alice, ...content })
  t.equal(bytes.length, DEVICE_STATEMENT_BYTES)
  t.same(readDeviceStatement(bytes, alice.address), content)
  t.equal(readDeviceStatement(bytes, bob.address), null)
  for (let i = 0; i < bytes.length; i++) {
    const flipped = Buffer.from(bytes)
    flipped[i] = (flipped[i] ?? 0) ^ 1
    t.equal(readDeviceStatement(flipped, alice.address), null, `byte ${i}`)
  }
  t.equal(readDeviceStatement(bytes.subarray(1), alice.address), null)
  for (const epoch of [0, -1, 1.5, 2 ** 32])
    t.throws(() => deviceStatement({ ...alice, ...content, epoch }), { code: 'malformed' })
  t.end()
})

t.test('DEV-1 two devices agree on keys only with the root, and every frame has its place', (t) => {
  const ground = { proof: Buffer.alloc(72, 1), sessionKey: Buffer.alloc(32, 2) }
  const { link } = deviceSecrets(alice.root)
  const shake = (mine: Uint8Array, theirs: Uint8Array) => {
    const [state, a] = call({ ...ground, link: mine }, seededRng('caller'))
    const [keys, b] = answer({ ...ground, link: theirs }, a, seededRng('answerer'))
    return { caller: conclude(state, b), answerer: keys, a, b }
  }
  const { caller, answerer, a } = shake(link, link)
  t.same(caller.send, answerer.receive)
  t.same(caller.receive, answerer.send)
  t.notSame(caller.send, caller.receive)
  const bundle = { type: 'bundle', bytes: Buffer.from('hello') } as const
  const sealed = sealDeviceFrame(caller.send, 0, bundle)
  t.same(openDeviceFrame(answerer.receive, 0, sealed), bundle)
  t.throws(() => openDeviceFrame(answerer.receive, 1, sealed), { code: 'malformed' }, 'out of turn')
  t.throws(() => openDeviceFrame(answerer.send, 0, sealed), { code: 'malformed' }, 'the other direction')
  const done = { type: 'done', seq: 3, link: 'a'.repeat(64), hash: 'b'.repeat(64) } as const
  t.same(openDeviceFrame(answerer.receive, 1, sealDeviceFrame(caller.send, 1, done)), done)

  const stranger = shake(link, deviceSecrets(fixtureIdentity(1).root).link)
  t.throws(
    () => openDeviceFrame(stranger.answerer.receive, 0, sealDeviceFrame(stranger.caller.send, 0, bundle)),
    {
      code: 'malformed',
    },
  )
  const other = { ...ground, proof: Buffer.alloc(72, 9), link }
  t.throws(() => answer(other, a, seededRng('x')), { code: 'malformed' }, 'a of another proof')
  t.end()
})
