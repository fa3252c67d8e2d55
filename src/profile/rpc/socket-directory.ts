import { lstat, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SottoError } from '../../foundation/errors.js'

const PRIVATE_DIRECTORY = 0o700
const OTHERS = 0o077

/**
 * Makes the directory of the local sockets, and refuses one that another user made before us or may look into.
 * @throws cannot-listen
 */
export async function prepareSocketDirectory(socket: string): Promise<void> {
  const directory = dirname(socket)
  await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY })
  if (!(await isPrivate(directory))) {
    throw new SottoError('cannot-listen', 'the directory of the local socket is open to others')
  }
}

/** A directory, no link, ours and of no use to others. */
export async function isPrivate(directory: string): Promise<boolean> {
  const state = await lstat(directory).catch(() => null)
  if (state?.isDirectory() !== true) return false
  return state.uid === process.getuid?.() && (state.mode & OTHERS) === 0
}
