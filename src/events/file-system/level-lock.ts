import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { SottoError } from '../../foundation/errors.js'
import { troubleOf } from '../../foundation/system-trouble.js'
import type { Unlock } from './file-system.js'
import { muteLevel } from './mute-level.js'

const PRIVATE_DIRECTORY = 0o700
/** There once the store was made: from then on level needs to make no directory. */
const MADE = 'CURRENT'

/**
 * Directories that this process has locked, by device and inode. LevelDB opens the LOCK file before it finds that it has
 * it already, and closes it again: with that the kernel frees the lock that was held, without a word. So level must never
 * be asked for a directory twice.
 */
const held = new Set<string>()

/**
 * Node has no flock, but level takes an fcntl lock on its LOCK file when it opens, and the kernel frees that lock with
 * the process. The store itself stays empty. Makes the lock's directory, but not the one that it is in: while that is
 * being replaced (SPEC § 4.10) nothing may appear in its place.
 * @throws log-busy when another opener holds it; log-missing when the directory that it is in is not there, or was replaced
 *   meanwhile; log-failed when the lock's directory cannot be used;
 *   disk-full, log-unavailable
 */
export async function levelLock(path: string): Promise<Unlock> {
  try {
    const isNew = (await identityOf(join(path, MADE))) === null
    if (isNew) await makeDirectory(path)
    const identity = await identityOf(path)
    if (identity === null) throw new SottoError('log-missing')
    if (held.has(identity)) throw new SottoError('log-busy')
    return await hold(path, identity, isNew)
  } catch (cause) {
    if (cause instanceof SottoError) throw cause
    if (isLocked(cause)) throw new SottoError('log-busy', undefined, { cause })
    if (isMissing(cause) || (await identityOf(path).catch(() => '')) === null)
      throw new SottoError('log-missing', undefined, { cause })
    throw troubleOf(cause) ?? new SottoError('log-failed', `its lock ${path} does not open`, { cause })
  }
}

async function hold(path: string, identity: string, isNew: boolean): Promise<Unlock> {
  held.add(identity)
  const letGo = () => void held.delete(identity)
  try {
    await muteLevel(path)
    // Made here and not earlier: a level opens itself as soon as it exists.
    const level = new Level(path, { createIfMissing: isNew })
    await level.open()
    if ((await identityOf(path)) !== identity) {
      await level.close()
      throw new SottoError('log-missing')
    }
    let closing: Promise<void> | null = null
    return () => (closing ??= level.close().finally(letGo))
  } catch (error) {
    letGo()
    throw error
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { mode: PRIVATE_DIRECTORY }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error
  })
}

/** Null when there is nothing. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path)
    return `${dev}:${ino}`
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && codeOf(error.cause) === 'LEVEL_LOCKED'
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
