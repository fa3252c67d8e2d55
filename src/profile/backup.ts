import { existsSync } from 'node:fs'
import { toHex } from '../foundation/bytes.js'
import { sha256 } from '../foundation/crypto.js'
import { type ErrorCode, isSottoError } from '../foundation/errors.js'
import { type Rng, systemRng } from '../foundation/rng.js'
import { checkBox, openBox, sealBox } from '../keys/container.js'
import { type Identity, identityFromPayload, payloadOf, wipeIdentity } from '../keys/identity.js'
import { readKeyFile, writeKeyFile } from '../keys/key-file.js'
import { type Access, daemonAccess, openHere } from './access.js'
import type { ProfilePaths } from './paths.js'
import { mustBeReady } from './lodging.js'
import { keptRecoverySeed, salvagedRecoverySeed } from './recovery-seed.js'
import { openKeyFile } from './unlock.js'

const CHECK_DIGITS = 16

export interface BackupOptions {
  readonly paths: ProfilePaths
  readonly out: string
  passphrase(): Promise<string>
  newPassphrase(): Promise<string>
}

export interface BackupAnswer {
  /** The first digits of the file's SHA-256, to compare copies by. */
  readonly check: string
  /** The copy holds the recovery key; false when an earlier one took it, null when the log cannot tell. */
  readonly recovery: boolean | null
  /** The log knows that there is a copy. */
  readonly noted: boolean
}

/** When the log is damaged, or takes nothing, is when a copy of the key is needed most. */
const NO_HINDRANCE: readonly ErrorCode[] = [
  ...(['log-corrupt', 'log-unopened', 'log-missing', 'log-failed', 'log-unavailable'] as const),
  ...(['unknown-event', 'projections-damaged', 'disk-full'] as const),
]

/**
 * A sealed copy of the key, after the passphrase was verified: it takes the login file and nothing else. The log, where
 * it can be opened, adds the recovery key to the first one and remembers that there is a copy.
 * @throws no-profile, logged-out, wrong-passphrase, profile-busy, file-exists, file-failed
 */
export async function createBackup(options: BackupOptions, rng: Rng = systemRng): Promise<BackupAnswer> {
  const { paths, out } = options
  if (!existsSync(paths.login)) mustBeReady(paths)
  const identity = await openKeyFile(paths.login, () => options.passphrase())
  let access: Access | null = null
  try {
    const passphrase = await options.newPassphrase()
    access = await unlessTheLogFails(() => openLog(paths, identity))
    const recoverySeed = await recoverySeedFor(access, paths, identity, rng)
    const holds = recoverySeed instanceof Uint8Array
    const payload = payloadOf({ ...identity, recoverySeed: holds ? recoverySeed : null }, holds)
    const box = await sealBox(payload, 'backup', passphrase, rng)
    await writeKeyFile(out, box, { overwrite: false })
    // What is noted is erased: never because of a copy that may lack it.
    const noted =
      recoverySeed === undefined
        ? null
        : await unlessTheLogFails(async () => access?.call('backup.made', { epoch: identity.epoch }))
    const recovery = holds ? true : recoverySeed === null ? false : null
    return { check: toHex(sha256(box)).slice(0, CHECK_DIGITS), recovery, noted: noted != null }
  } finally {
    await access?.close()
    wipeIdentity(identity)
  }
}

/** With keys of its own: an opening that fails half way wipes what it was given. */
async function openLog(paths: ProfilePaths, identity: Identity): Promise<Access> {
  return (
    (await daemonAccess(paths)) ??
    (await openHere({ paths }, identityFromPayload(payloadOf(identity, false))))
  )
}

/**
 * The recovery key goes into copies outside the profile only; it never passes the local socket.
 * @returns null when an earlier copy took it, undefined when nothing can tell
 */
async function recoverySeedFor(
  access: Access | null,
  paths: ProfilePaths,
  identity: Identity,
  rng: Rng,
): Promise<Uint8Array | null | undefined> {
  const kept = await unlessTheLogFails(async () => {
    if (access === null) return null
    const { recoveryAt } = await access.call('backup.next', {})
    return { seed: recoveryAt === null ? null : await keptRecoverySeed(paths, identity, recoveryAt, rng) }
  })
  if (kept !== null) return kept.seed
  const salvaged = await unlessTheLogFails(async () => ({
    seed: await salvagedRecoverySeed(paths, identity),
  }))
  return salvaged?.seed
}

/** @returns null when the log cannot do it */
async function unlessTheLogFails<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (isSottoError(error) && NO_HINDRANCE.includes(error.code)) return null
    throw error
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
