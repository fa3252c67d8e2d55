import { FactStore } from '../events/store/fact-store.js'
import { nodeFileSystem } from '../events/file-system/node.js'
import { toHex } from '../foundation/bytes.js'
import { sha256 } from '../foundation/crypto.js'
import { isSottoError } from '../foundation/errors.js'
import { type Rng, systemRng } from '../foundation/rng.js'
import { checkBox, openBox, sealBox } from '../keys/container.js'
import { type Identity, identityFromPayload, payloadOf, wipeIdentity } from '../keys/identity.js'
import { readKeyFile, writeKeyFile } from '../keys/key-file.js'
import { daemonAccess, openHere } from './access.js'
import type { ProfilePaths } from './paths.js'
import { mustBeReady } from './lodging.js'
import { openKeyFile } from './unlock.js'

const CHECK_DIGITS = 16

export interface BackupOptions {
  readonly paths: ProfilePaths
  readonly out: string
  passphrase(): Promise<string>
  newPassphrase(): Promise<string>
}

/**
 * A sealed copy of the key, after the passphrase was verified; the log remembers that there is one.
 * @returns the first digits of the file's SHA-256, to compare copies by
 */
export async function createBackup(options: BackupOptions, rng: Rng = systemRng): Promise<string> {
  const { paths, out } = options
  mustBeReady(paths)
  const identity = await openKeyFile(paths.login, () => options.passphrase())
  const passphrase = await options.newPassphrase()
  const access = (await daemonAccess(paths)) ?? (await openHere({ paths }, identity))
  try {
    const { recoveryAt } = await access.call('backup.next', {})
    const recoverySeed = recoveryAt === null ? null : await keptRecoverySeed(paths, identity, recoveryAt, rng)
    const payload = payloadOf({ ...identity, recoverySeed }, recoverySeed !== null)
    const box = await sealBox(payload, 'backup', passphrase, rng)
    await writeKeyFile(out, box, { overwrite: false })
    await access.call('backup.made', { epoch: identity.epoch })
    return toHex(sha256(box)).slice(0, CHECK_DIGITS)
  } finally {
    await access.close()
    wipeIdentity(identity)
  }
}

/** The recovery key goes into copies outside the profile only; it never passes the local socket. */
async function keptRecoverySeed(
  paths: ProfilePaths,
  identity: Identity,
  seq: number,
  rng: Rng,
): Promise<Uint8Array | null> {
  const { root, address: owner } = identity
  const store = await FactStore.open({
    directory: paths.log,
    fs: nodeFileSystem,
    root,
    owner,
    rng,
    readOnly: true,
  })
  try {
    // Another backup at the same time may have erased it.
    for await (const { fact } of store.read(seq))
      return fact.type === 'RecoverySeedKept' ? fact.data.seed : null
    return null
  } finally {
    await store.close()
  }
}

export interface BackupProblem {
  /** Place in a string backup; null for a file. */
  readonly line: number | null
  readonly column: number | null
  readonly suggestion: string | null
  readonly code: string
}

export interface BackupCheck {
  readonly ok: boolean
  /** All parts are there. */
  readonly complete: boolean
  /** The passphrase was tried too. */
  readonly opened: boolean
  readonly problems: readonly BackupProblem[]
}

/** Form first, without costly work; then, with a passphrase, whether it opens. Damage is an answer, not an error. */
export async function checkBackup(
  file: string,
  passphrase: () => Promise<string | null>,
): Promise<BackupCheck> {
  const bytes = await readKeyFile(file)
  try {
    checkBox(bytes)
    const words = await passphrase()
    if (words !== null) identityFromPayload((await openBox(bytes, words)).payload)
    return { ok: true, complete: true, opened: words !== null, problems: [] }
  } catch (error) {
    if (!isSottoError(error) || error.code === 'wrong-passphrase') throw error
    if (!['not-a-backup', 'backup-version', 'backup-damaged', 'backup-parameters'].includes(error.code))
      throw error
    const problem = { line: null, column: null, suggestion: null, code: error.code }
    return { ok: false, complete: error.code === 'backup-version', opened: false, problems: [problem] }
  }
}
