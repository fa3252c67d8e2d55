import { dirname } from 'node:path'
import { SottoError } from '../../foundation/errors.js'
import { troubleOf } from '../../foundation/system-trouble.js'
import type { Rng } from '../../foundation/rng.js'
import type { FileSystem, Unlock } from '../file-system/file-system.js'
import { genesis } from './chain.js'
import { Damage, notGiven, problem } from './damage.js'
import type { LogFiles } from './examine.js'
import { DEFAULT_SEGMENT_BYTES, WALK_BYTES } from './format.js'
import { KEYRING_NAME, type Keyring, drawKeyring, keyringKey, readKeyring, writeKeyring } from './keyring.js'
import { logKeys } from './log-view.js'
import { Log } from './sealed-log.js'
import { EMPTY_MANIFEST, writeManifest } from './manifest.js'
import { mend } from './mend.js'
import { segmentNumber } from './segment-file.js'
import { mustBeWhole, survey } from './survey.js'
import { type After, systemAfter } from './timer.js'

const LOCK_NAME = 'lock'

/** Where a log is and what opens it. */
export interface LogPlace {
  readonly directory: string
  readonly fs: FileSystem
  /** 32 bytes; opens the keyring. */
  readonly root: Uint8Array
  /** 32 bytes: the address key, or a tracker's public key. The chain begins with it. */
  readonly owner: Uint8Array
  /** A log that `Log.compact` may leave records out of (a tracker's); elsewhere what that leaves is damage. */
  readonly compacting?: boolean
}

export interface LogOptions extends LogPlace {
  readonly rng: Rng
  /** Take the writer's lock (default). Without it the caller answers for being the only writer. */
  readonly lock?: boolean
  /** A segment that has reached this many bytes (default 16 MiB) is followed by a new one. */
  readonly segmentBytes?: number
  /** The timer of the idle claim. */
  readonly after?: After
  /** Segments are merged in the background where it is worth it (default), or only when `Log.merge` is called. */
  readonly merge?: 'auto' | 'off'
}

export interface OpenLogOptions extends LogOptions {
  /** Reads what is there now, beside a writer or without one: takes no lock, writes nothing, recovers nothing. */
  readonly readOnly?: boolean
  /** The newest segments that fit into so many bytes are walked whole (default 8 MiB; Infinity: all of them). */
  readonly walkBytes?: number
}

/**
 * A new, empty log. The keyring is written last: with it the log exists, and a creation that was cut short is none.
 * @throws profile-exists when there is one, log-busy, log-corrupt when there are segments without a keyring, log-failed
 */
export function createLog(options: LogOptions): Promise<Log> {
  return failingAsLog(() => create(options))
}

async function create(options: LogOptions): Promise<Log> {
  const { fs, directory } = options
  await fs.mkdir(directory)
  await fs.syncDirectory(dirname(directory))
  const unlock = await takeLock(options)
  try {
    if (await fs.exists(`${directory}/${KEYRING_NAME}`)) throw new SottoError('profile-exists')
    await mustHoldNoSegment(options)
    const { files, keys } = await writeEmpty(options)
    const head = { seq: 0, link: genesis(files.keyring.logId, files.keyring.owner) }
    const state = { manifest: EMPTY_MANIFEST, head, recovered: null }
    return new Log({ files, keys, ...state, ...workings(options), unlock, readOnly: false })
  } catch (error) {
    await unlock()
    throw error
  }
}

/**
 * Opens a log: takes the lock, looks at every segment, walks the newest, and mends what a crash left behind the last durable frame.
 * @throws log-missing, log-busy, log-unopened (another root, or a damaged keyring: nothing can tell), log-corrupt
 *   (nothing was written then), log-failed, log-unavailable, disk-full
 */
export function openLog(options: OpenLogOptions): Promise<Log> {
  return failingAsLog(() => open(options))
}

async function open(options: OpenLogOptions): Promise<Log> {
  const readOnly = options.readOnly ?? false
  if (!(await options.fs.exists(`${options.directory}/${KEYRING_NAME}`))) throw await absent(options)
  const unlock = readOnly ? noLock : await takeLock(options)
  try {
    const files = await openFiles(options)
    const keys = logKeys(options.root, files.keyring.logId)
    const found = await survey(files, keys, { live: readOnly, walkBytes: options.walkBytes ?? WALK_BYTES })
    mustBeWhole(found)
    const recovered = readOnly ? null : await mend(found)
    const state = { ...found.view, head: found.head, recovered }
    return new Log({ keys, ...state, ...workings(options), unlock, readOnly })
  } catch (error) {
    await unlock()
    throw error
  }
}

async function failingAsLog(work: () => Promise<Log>): Promise<Log> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof SottoError ? error : failed(error)
  }
}

function failed(cause: unknown): SottoError {
  return troubleOf(cause) ?? new SottoError('log-failed', undefined, { cause })
}

/** @throws log-missing, log-unopened, log-corrupt, log-unavailable */
export async function openFiles(place: LogPlace): Promise<LogFiles> {
  const { fs, directory, root, owner } = place
  const keyring = await readKeyring(fs, directory, keyringKey(root), owner)
  if (keyring === null) throw await absent(place)
  return { fs, directory, keyring, compacting: place.compacting ?? false }
}

/** @throws log-busy, log-failed, log-unavailable, disk-full */
export function takeLock({ fs, directory, lock }: LogPlace & { readonly lock?: boolean }): Promise<Unlock> {
  return lock === false ? Promise.resolve(noLock) : fs.lock(`${directory}/${LOCK_NAME}`)
}

function noLock(): Promise<void> {
  return Promise.resolve()
}

async function writeEmpty({ fs, directory, root, owner, rng, compacting = false }: LogOptions) {
  const keyring: Keyring = drawKeyring(Uint8Array.from(owner), rng)
  const keys = logKeys(root, keyring.logId)
  try {
    await writeManifest(fs, directory, keys.manifest, EMPTY_MANIFEST, rng)
    await writeKeyring(fs, directory, keys.keyring, keyring, rng)
  } catch (cause) {
    throw failed(cause)
  }
  return { files: { fs, directory, keyring, compacting }, keys }
}

/** Segments cannot be older than the keyring: without it there is a log whose keyring was lost, or none. */
async function absent(place: LogPlace): Promise<SottoError> {
  try {
    await mustHoldNoSegment(place)
    return new SottoError('log-missing')
  } catch (error) {
    if (error instanceof Damage) return error
    throw error
  }
}

async function mustHoldNoSegment({ fs, directory }: LogPlace): Promise<void> {
  const names = await fs.readdir(directory).catch((cause: unknown) => {
    throw notGiven(0, 0, cause)
  })
  if (names.some((name) => segmentNumber(name) !== null)) throw new Damage(problem(0, 0, 'keyring'))
}

function workings(options: LogOptions) {
  const { rng, segmentBytes = DEFAULT_SEGMENT_BYTES, after = systemAfter, merge = 'auto' } = options
  return { rng, segmentBytes, after, merge }
}
