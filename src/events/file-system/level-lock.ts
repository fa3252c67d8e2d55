import { Level } from 'level'
import { SottoError } from '../../foundation/errors.js'
import type { Unlock } from './file-system.js'
import { muteLevel } from './mute-level.js'

/**
 * Node has no flock, but level takes an fcntl lock on its LOCK file when it opens, and the kernel frees that lock with
 * the process. The store itself stays empty.
 * @throws log-busy when another opener holds it; log-failed when the lock's directory cannot be used
 */
export async function levelLock(path: string): Promise<Unlock> {
  try {
    await muteLevel(path)
    // Made here and not earlier: a level opens itself as soon as it exists.
    const level = new Level(path)
    await level.open()
    return () => level.close()
  } catch (cause) {
    if (isLocked(cause)) throw new SottoError('log-busy', undefined, { cause })
    throw new SottoError('log-failed', `its lock ${path} does not open`, { cause })
  }
}

function isLocked(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
}
