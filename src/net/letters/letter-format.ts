import { concat, u32, u8, utf8 } from '../../foundation/bytes.js'
import { kdf, mac, sha256 } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import { OAEP_BYTES } from '../links/oaep.js'
import { directionOf, type End } from '../links/pair.js'

/** The outside of a letter (SPEC § 7.2): sizes, hint and tag, keys. */
export const LETTER_VERSION = 1
export const CHECK_CODE_BYTES = 16
export const HINT_BYTES = 16
export const PREKEY_BYTES = 32
/** The largest body is a text of 16 KiB or a card with its picture; the rest is head, padding and room. */
export const MAX_LETTER_BYTES = 32 * 1024
/** One RSA secret serves so many letters, for so long. */
export const MAX_INDEXES = 64
export const LETTER_KEY_MS = 10 * 60_000
const DAY_MS = 86_400_000

export interface SealedLetter {
  readonly hint: Buffer
  readonly tag: Buffer
  readonly rsa: Buffer
  readonly index: number
  readonly checkCode: Buffer
  /** version ‖ rsa ‖ index ‖ check code ‖ prekey: what the seal covers besides the inside. */
  readonly head: Buffer
  readonly sealed: Buffer
  /** All after the tag. */
  readonly tagged: Buffer
}

/** version ‖ hint ‖ tag ‖ rsa ‖ index ‖ check code ‖ prekey ‖ sealed. @throws malformed */
export function parseLetter(bytes: Uint8Array): SealedLetter {
  if (bytes.length > MAX_LETTER_BYTES) throw new SottoError('malformed', 'letter size')
  const reader = new Reader(bytes)
  if (reader.u8() !== LETTER_VERSION) throw new SottoError('malformed', 'letter version')
  const hint = reader.bytes(HINT_BYTES)
  const tag = reader.bytes(HINT_BYTES)
  const tagged = reader.rest()
  const inner = new Reader(tagged)
  const rsa = inner.bytes(OAEP_BYTES)
  const index = inner.u8()
  const checkCode = inner.bytes(CHECK_CODE_BYTES)
  const head = headOf(rsa, index, checkCode, inner.bytes(PREKEY_BYTES))
  if (index >= MAX_INDEXES) throw new SottoError('malformed', 'letter index')
  return { hint, tag, rsa, index, checkCode, head, sealed: inner.rest(), tagged }
}

export function headOf(rsa: Uint8Array, index: number, checkCode: Uint8Array, prekey: Uint8Array): Buffer {
  return concat(u8(LETTER_VERSION), rsa, u8(index), checkCode, prekey)
}

/** The number of the UTC day. */
export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS)
}

/** Names the pair to the pair alone, for a day; changes daily, so that nobody else can follow it. */
export function hintOf(pairKey: Uint8Array, from: Uint8Array, to: Uint8Array, day: number): Buffer {
  return mac(pairKey, 'sotto/hint/1', directionOf(from, to), u32(day)).subarray(0, HINT_BYTES)
}

/** Checked before any RSA: only the pair can make work for each other. */
export function letterTag(pairKey: Uint8Array, from: Uint8Array, to: Uint8Array, tagged: Uint8Array): Buffer {
  return mac(pairKey, 'sotto/tag/1', directionOf(from, to), sha256(tagged)).subarray(0, HINT_BYTES)
}

export function letterOaepLabel(sender: Uint8Array, receiver: Uint8Array): Buffer {
  return concat(utf8('sotto/letter-oaep/1'), sender, receiver)
}

export interface Correspondents {
  readonly sender: End
  readonly receiver: End
}

/** The key of one letter: from the static agreement, the RSA secret, who writes to whom, index and check code. */
export function letterKey(
  { sender, receiver }: Correspondents,
  staticDh: Uint8Array,
  secret: Uint8Array,
  letter: { readonly rsa: Uint8Array; readonly index: number; readonly checkCode: Uint8Array },
): Buffer {
  const ends = concat(sender.address, receiver.address, u32(sender.epoch), u32(receiver.epoch))
  const shared = kdf(concat(staticDh, secret), 'sotto/letter-key/1', concat(ends, sha256(letter.rsa)))
  return kdf(shared, 'sotto/letter/1', concat(u8(letter.index), letter.checkCode))
}
