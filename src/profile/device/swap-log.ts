import { existsSync, renameSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { SottoError } from '../../foundation/errors.js'
import { syncDirectory } from '../../foundation/sync-directory.js'
import type { ProfilePaths } from '../paths.js'

/**
 * Puts the log in `log.new`, which must be whole and durable, in the place of `log`, which goes to `log.old`. Between
 * the two renames there is none: `finishSwap` knows that state, because nothing else makes it. The caller holds the locks of
 * both logs.
 */
export async function swapLog(paths: ProfilePaths): Promise<void> {
  const { directory, log, oldLog } = paths
  try {
    await rename(log, oldLog)
    await syncDirectory(directory)
    finishSwap(paths)
    await syncDirectory(directory)
  } catch (cause) {
    throw new SottoError('file-failed', directory, { cause })
  }
}

/** Finishes a swap that was cut between its renames, or does nothing. Several processes may come upon it at once. */
export function finishSwap({ log, newLog, oldLog }: ProfilePaths): void {
  if (existsSync(log) || !existsSync(newLog) || !existsSync(oldLog)) return
  try {
    renameSync(newLog, log)
  } catch (error) {
    if (!existsSync(log)) throw error
  }
}

/**
 * Removes what an import that was cut short, or one that is through, left beside the log. The caller holds the lock of
 * `log`; while there is none, nothing is a leftover.
 */
export async function clearLeftovers({ log, newLog, oldLog }: ProfilePaths): Promise<void> {
  if (!existsSync(log)) return
  for (const path of [newLog, oldLog]) await rm(path, { recursive: true, force: true })
}
