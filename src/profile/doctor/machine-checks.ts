import { statfs } from 'node:fs/promises'
import { isSottoError } from '../../foundation/errors.js'
import { listDongles } from '../dongles.js'
import { type Check, check } from './check.js'

const NODE_FLOOR = [20, 19] as const
/** A rewrite of the log needs room for a second copy of some segments. */
const MIN_FREE_BYTES = 256 * 1024 * 1024
const MIB = 1024 * 1024

export function nodeVersion(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1])
  return check('node', ok, `${process.versions.node}; ${NODE_FLOOR.join('.')} or newer is needed`)
}

/** A machine without dongles is whole too. */
export async function dongles(): Promise<Check> {
  try {
    return check('dongles', true, `${(await listDongles()).length} found`)
  } catch (error) {
    if (!isSottoError(error, 'no-dongle-library')) throw error
    return check('dongles', true, 'this machine cannot talk to any; libusb 1.0 is missing')
  }
}

export async function diskSpace(directory: string): Promise<Check> {
  try {
    const { bavail, bsize } = await statfs(directory)
    const free = Math.floor((bavail * bsize) / MIB)
    return check(
      'disk',
      bavail * bsize >= MIN_FREE_BYTES,
      `${free} MiB free; ${MIN_FREE_BYTES / MIB} are needed`,
    )
  } catch {
    return check('disk', false, 'the file system does not tell')
  }
}
