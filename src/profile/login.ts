import { FactStore } from '../events/store/fact-store.js'
import { nodeFileSystem } from '../events/file-system/node.js'
import type { UserId } from '../events/vocabulary/facts.js'
import { SottoError, isSottoError } from '../foundation/errors.js'
import { type Rng, systemRng } from '../foundation/rng.js'
import type { Identity } from '../keys/identity.js'
import { createProfile, mustBeFree } from './create.js'
import { fact, selfOf } from './decisions/context.js'
import { isSuperseded } from './decisions/must-speak.js'
import { drawDeviceId } from './device/device-file.js'
import { nicknameOf } from './nickname.js'
import { openProfile } from './open.js'
import type { ProfilePaths } from './paths.js'
import { connectRpc } from './rpc/client.js'
import { lodgingOf } from './lodging.js'
import { openKeyFile, sealLogin } from './unlock.js'

/** A fresh profile is called by the beginning of its ID until `profile set`. */
const PROVISIONAL_CHARACTERS = 8

export interface LoginOptions {
  readonly paths: ProfilePaths
  /** The key file that was kept outside. */
  readonly file: string
  passphrase(): Promise<string>
  /** What seals the login file from now on; asked after the key file opened. */
  newPassphrase(): Promise<string>
  readonly nickname?: string
  readonly rng?: Rng
  readonly signal?: AbortSignal
}

export interface LoginAnswer {
  readonly id: UserId
  readonly nickname: string
  readonly form: 'file'
}

/**
 * Opens a profile from a key file: an existing one goes on, else a fresh one is made around the identity.
 * @throws wrong-passphrase and the format's errors, wrong-identity, daemon-runs, profile-busy
 */
export async function login(options: LoginOptions): Promise<LoginAnswer> {
  const identity = await openKeyFile(options.file, () => options.passphrase())
  return lodgingOf(options.paths) === 'none' ? settleIn(options, identity) : comeBack(options, identity)
}

/** The same where nothing may be overwritten. @throws profile-exists */
export async function restore(options: LoginOptions): Promise<LoginAnswer> {
  if (lodgingOf(options.paths) === 'ready') mustBeFree(options.paths)
  return login(options)
}

async function settleIn(options: LoginOptions, identity: Identity): Promise<LoginAnswer> {
  const { paths, rng = systemRng, signal } = options
  const nickname = nicknameOf(options.nickname ?? identity.id.slice(0, PROVISIONAL_CHARACTERS))
  const passphrase = await options.newPassphrase()
  const rest = { origin: 'restored', avatar: null } as const
  // The recovery seed belongs in the copies outside; a restored profile does not keep it again.
  const kept = { ...identity, recoverySeed: null }
  await createProfile({
    paths,
    identity: kept,
    nickname,
    passphrase,
    rng,
    ...rest,
    ...(signal && { signal }),
  })
  return { id: identity.id, nickname, form: 'file' }
}

async function comeBack(options: LoginOptions, identity: Identity): Promise<LoginAnswer> {
  const { paths, rng = systemRng } = options
  const daemon = await connectRpc(paths.socket)
  daemon?.close()
  if (daemon !== null) throw new SottoError('daemon-runs')
  await mustOpen(paths, identity, rng)
  const passphrase = await options.newPassphrase()
  const profile = await openProfile({ paths, identity, rng })
  try {
    await sealLogin(paths.login, identity, passphrase, rng)
    await profile.append([fact('LoggedIn', { form: 'file' })])
    // Whoever logs in here again wants to be here: as a new device, which takes over when it goes on the network.
    if (isSuperseded(profile.view)) await drawDeviceId(paths, rng)
    const { id, nickname } = selfOf(profile.view)
    return { id, nickname, form: 'file' }
  } finally {
    await profile.close()
  }
}

/** Another identity's key does not open this log. @throws wrong-identity */
async function mustOpen(paths: ProfilePaths, identity: Identity, rng: Rng): Promise<void> {
  const { root, address: owner } = identity
  const options = { directory: paths.log, fs: nodeFileSystem, root, owner, rng, readOnly: true }
  try {
    const store = await FactStore.open(options)
    await store.close()
  } catch (error) {
    throw isSottoError(error, 'log-unopened') ? new SottoError('wrong-identity') : error
  }
}
