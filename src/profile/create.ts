import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toHex } from '../foundation/bytes.js'
import { FactStore } from '../events/store/fact-store.js'
import { nodeFileSystem } from '../events/file-system/node.js'
import type { Fact, FactData } from '../events/vocabulary/facts.js'
import { SottoError } from '../foundation/errors.js'
import { type Rng, systemRng } from '../foundation/rng.js'
import { syncDirectory } from '../foundation/sync-directory.js'
import type { Identity } from '../keys/identity.js'
import { certify } from './certify.js'
import { fact } from './decisions/context.js'
import { introductionKey } from './decisions/introduction-key.js'
import { FRIEND_SECRET_BYTES } from './decisions/end-contact.js'
import { type ProfilePaths, pathsOf } from './paths.js'
import { lodgingOf } from './lodging.js'
import { sealLogin } from './unlock.js'

const PRIVATE_DIRECTORY = 0o700
const UNIQUE_BYTES = 6

export interface CreateOptions {
  readonly paths: ProfilePaths
  readonly identity: Identity
  readonly origin: FactData['IdentityCreated']['origin']
  readonly nickname: string
  readonly avatar: Uint8Array | null
  readonly passphrase: string
  readonly now?: number
  readonly rng?: Rng
  readonly signal?: AbortSignal
}

/**
 * A new profile, whole or not at all: built in a directory beside its place and moved there at the end.
 * @throws profile-exists, cancelled
 */
export async function createProfile(options: CreateOptions): Promise<void> {
  const { paths, identity, rng = systemRng } = options
  mustBeFree(paths)
  await mkdir(dirname(paths.directory), { recursive: true, mode: PRIVATE_DIRECTORY })
  const unique = toHex(rng.bytes(UNIQUE_BYTES))
  const draft = pathsOf(join(dirname(paths.directory), `.${basename(paths.directory)}-${unique}`))
  try {
    await mkdir(draft.directory, { mode: PRIVATE_DIRECTORY })
    await writeFirstFacts(draft, options)
    await sealLogin(draft.login, identity, options.passphrase, rng)
    if (options.signal?.aborted === true) throw new SottoError('cancelled')
    mustBeFree(paths)
    await rename(draft.directory, paths.directory)
    await syncDirectory(dirname(paths.directory))
  } catch (error) {
    await rm(draft.directory, { recursive: true, force: true })
    throw error
  }
}

/** @throws profile-exists */
export function mustBeFree(paths: ProfilePaths): void {
  if (lodgingOf(paths) !== 'none' || existsSync(paths.login)) throw new SottoError('profile-exists')
}

async function writeFirstFacts(draft: ProfilePaths, options: CreateOptions): Promise<void> {
  const { identity, now = Date.now(), rng = systemRng } = options
  const store = await FactStore.create({
    directory: draft.log,
    fs: nodeFileSystem,
    root: identity.root,
    owner: identity.address,
    rng,
    lock: true,
  })
  try {
    await store.append(firstFacts(options, now, rng), now)
  } finally {
    await store.close()
  }
}

function firstFacts({ identity, origin, nickname, avatar }: CreateOptions, now: number, rng: Rng): Fact[] {
  const { id, spki } = identity
  const certificate = certify(identity, now)
  return [
    fact('IdentityCreated', { id, certificate, spki, origin }),
    ...(identity.recoverySeed === null ? [] : [fact('RecoverySeedKept', { seed: identity.recoverySeed })]),
    fact('ProfileChanged', avatar === null ? { nickname } : { nickname, avatar }),
    fact('FriendSecretDrawn', { secret: rng.bytes(FRIEND_SECRET_BYTES) }),
    introductionKey(now, rng),
  ]
}
