import { open } from 'node:fs/promises'
import { SottoError } from '../foundation/errors.js'
import { isPicture, MAX_AVATAR_BYTES } from '../net/links/fields.js'

/** A PNG or JPEG of at most 8 KiB, told by its first bytes. @throws bad-profile */
export function avatarOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_AVATAR_BYTES || !isPicture(bytes)) throw new SottoError('bad-profile')
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
