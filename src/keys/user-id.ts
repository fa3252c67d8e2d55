import { SottoError } from '../foundation/errors.js'
import { decodeKey, encodeKey, groupKey } from './checked-key.js'
import { isSoundPoint } from './ed25519.js'

/** 60 characters, upper case, no separators (SPEC § 0.2). */
export type UserId = string

/** The line numbers of a user ID's two blocks are 1 and 2 (SPEC § 0.2). */
const FIRST_LINE = 1

/** The 60 characters of an address key (Ed25519 public key, 32 bytes). */
export function idOf(address: Uint8Array): UserId {
  return encodeKey(address, FIRST_LINE)
}

/**
 * The address key (32 bytes) behind an ID, however it is spaced or cased.
 * @throws bad-id: wrong length; a wrong character, by block and place, with what may stand there instead; a point that
 * is not canonically encoded or of small order
 */
export function addressOf(text: string): Uint8Array {
  const address = decodeKey(text, FIRST_LINE, 'bad-id')
  if (!isSoundPoint(address)) throw new SottoError('bad-id', 'it stands for no usable key')
  return address
}

/** Groups of six for reading aloud and comparing. */
export function formatId(id: UserId): string {
  return groupKey(id)
}
