import { link, open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSottoError, SottoError } from '../foundation/errors.js'
import { syncDirectory } from '../foundation/sync-directory.js'
import { MAX_BOX_BYTES } from './container.js'
import { endTemporary, removeAbandoned, temporaryName } from './temporary-file.js'

const OWNER_ONLY = 0o600

/** Writes a sealed container (SPEC § 3). @throws as writePrivately */
export function writeKeyFile(
  path: string,
  bytes: Uint8Array,
  options: { readonly overwrite?: boolean } = {},
): Promise<void> {
  return writePrivately(path, bytes, options)
}

/**
 * Writes a file of mode 0600, whole or not at all: temporary name beside it, fsync, its name, fsync of the directory.
 * Of bytes that come in pieces one piece is in memory at a time; what making them throws is passed on. A process that is
 * killed leaves the temporary file, 0600; whoever writes the same file next removes it.
 * @throws file-exists unless `overwrite`; file-failed
 */
export async function writePrivately(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: { readonly overwrite?: boolean } = {},
): Promise<void> {
  await removeAbandoned(path)
  const temporary = temporaryName(path)
  try {
    await writeDurably(temporary, bytes)
    await (options.overwrite === true ? rename(temporary, path) : takeFreeName(temporary, path))
  } catch (error) {
    throw failure(error, path)
  } finally {
    await endTemporary(temporary)
  }
  await syncDirectory(dirname(path))
}

/**
 * The bytes of a key file, never more than a container can have.
 * @throws not-found, not-a-backup when it is too large; file-failed
 */
export async function readKeyFile(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw codeOf(cause) === 'ENOENT'
      ? new SottoError('not-found', 'there is no such file', { cause })
      : failure(cause, path)
  })
  try {
    const bytes = await readAtMost(file, MAX_BOX_BYTES + 1)
    if (bytes.length > MAX_BOX_BYTES) throw new SottoError('not-a-backup', 'it is too large')
    return bytes
  } catch (error) {
    throw failure(error, path)
  } finally {
    await file.close()
  }
}

async function writeDurably(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY)
  try {
    for await (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) await file.writeFile(piece)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A hard link fails when the name is taken; a rename would silently replace what is there. */
async function takeFreeName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new SottoError('file-exists', path, { cause })
    if (!isWithoutLinks(cause)) throw cause
    await reserveAndReplace(temporary, path)
  }
}

/** File systems of memory sticks (FAT) know no hard links. */
function isWithoutLinks(cause: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(cause) ?? '')
}

async function reserveAndReplace(temporary: string, path: string): Promise<void> {
  const reserved = await open(path, 'wx', OWNER_ONLY).catch((cause: unknown) => {
    throw codeOf(cause) === 'EEXIST' ? new SottoError('file-exists', path, { cause }) : cause
  })
  await reserved.close()
  await rename(temporary, path)
}

async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit)
  let length = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, limit - length, null)
    length += bytesRead
    if (bytesRead === 0 || length === limit) return buffer.subarray(0, length)
  }
}

/** The system's own errors as one of ours; the code (ENOSPC, EACCES …) says which. */
function failure(error: unknown, path: string): unknown {
  const code = codeOf(error)
  if (isSottoError(error) || code === undefined) return error
  return new SottoError('file-failed', `${path} (${code})`, { cause: error })
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
