import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isMissing, nodeFileSystem } from '../../events/file-system/node.js'
import { shredSegments } from '../../events/log/rewrite/shred.js'
import { segmentNumber } from '../../events/log/segment-file.js'
import { SottoError } from '../../foundation/errors.js'
import { syncDirectory } from '../../foundation/sync-directory.js'
import type { ProfilePaths } from '../paths.js'

/** All that whoever only wanted to lock a log can leave where there is none. */
const LOCK = 'lock'

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
    if (isVacant(log)) throw new SottoError('file-failed', `${basename(log)} is in the way`)
    await syncDirectory(directory)
  } catch (cause) {
    throw cause instanceof SottoError ? cause : new SottoError('file-failed', directory, { cause })
  }
}

/** Finishes a swap that was cut between its renames, or does nothing. Several processes may come upon it at once. */
export function finishSwap({ log, newLog, oldLog }: ProfilePaths): void {
  if (!isVacant(log) || isVacant(newLog) || isVacant(oldLog)) return
  try {
    rmSync(join(log, LOCK), { recursive: true, force: true })
    renameSync(newLog, log)
  } catch (error) {
    if (isVacant(log)) throw error
  }
}

/**
 * Removes what an import that was cut short, or one that is through, left beside the log, for good: what was forgotten
 * since may stand in it. The caller holds the lock of `log`; while there is none, nothing is a leftover.
 */
export async function clearLeftovers({ log, newLog, oldLog }: ProfilePaths): Promise<void> {
  if (isVacant(log)) return
  for (const path of [newLog, oldLog]) {
    if (!existsSync(path)) continue
    // Where the disk does not take that, removing is better than nothing.
    await shredLog(path).catch(() => undefined)
    await rm(path, { recursive: true, force: true })
  }
}

async function shredLog(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => segmentNumber(name) !== null)
  await shredSegments(
    nodeFileSystem,
    directory,
    names.map((name) => join(directory, name)),
  )
}

/** No log is there: an empty directory, or one for a lock, is none. */
function isVacant(log: string): boolean {
  try {
    return readdirSync(log).every((name) => name === LOCK)
  } catch (error) {
    if (isMissing(error)) return true
    throw error
  }
}
