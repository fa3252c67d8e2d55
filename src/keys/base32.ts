import base32 from 'hi-base32'
import { SottoError } from '../foundation/errors.js'

/** RFC 4648 § 6; a character's place is its value. */
export const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Upper-case base 32 without padding characters (SPEC § 0.1). */
export function toBase32(bytes: Uint8Array): string {
  return base32.encode(bytes).replace(/=+$/, '')
}

/** @throws malformed for characters outside the alphabet, impossible lengths, and unused bits that are not zero */
export function fromBase32(text: string): Uint8Array {
  if (!/^[A-Z2-7]*$/.test(text)) throw new SottoError('malformed', 'not base 32')
  const bytes = Uint8Array.from(base32.decode.asBytes(text))
  if (toBase32(bytes) !== text) throw new SottoError('malformed', 'base 32 that no encoder writes')
  return bytes
}
