import { open } from 'node:fs/promises'
import { SottoError } from '../foundation/errors.js'

export const MAX_AVATAR_BYTES = 8192
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
const JPEG = Buffer.from('ffd8ff', 'hex')

/** A PNG or JPEG of at most 8 KiB, told by its first bytes. @throws bad-profile */
export function avatarOf(bytes: Uint8Array): Uint8Array {
  const begins = (magic: Buffer) => Buffer.compare(magic, bytes.subarray(0, magic.length)) === 0
  if (bytes.length > MAX_AVATAR_BYTES || !(begins(PNG) || begins(JPEG))) throw new SottoError('bad-profile')
  return bytes
}

/** Reads no more than it may. @throws bad-profile, not-found */
export async function readAvatar(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r').catch(() => {
    throw new SottoError('not-found', 'the picture cannot be read')
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_AVATAR_BYTES + 1), 0)
    return avatarOf(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}
