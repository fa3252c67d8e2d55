import { concat, lp, u64, u8 } from '../../foundation/bytes.js'
import { KEY_BYTES, md5, MD5_BYTES, sameSecret } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import type { LetterBody } from '../../events/vocabulary/facts.js'
import { padded } from '../links/padding.js'
import { codeOf, packChecked, unpackBody } from './bodies.js'
import { CHECK_CODE_BYTES, LETTER_VERSION, MAX_LETTER_BYTES } from './letter-format.js'

/** What is said, beside the check code and the sender's time stamp. */
export type Message = LetterBody & { readonly checkCode: Uint8Array; readonly sentAt: number }

/** The plain text of a letter; `letter` is null for a kind of a newer version. */
export interface Plain {
  readonly sentAt: number
  readonly checkCode: Buffer
  readonly sender: Buffer
  readonly letter: LetterBody | null
}

/** Time stamps are u48: the u64 without its two leading bytes. */
const U64_LEADING = 2

/**
 * plain ‖ MD5(plain), plain being version ‖ u48 time stamp ‖ check code ‖ sender ‖ kind ‖ lp(body) ‖ zeros up to the
 * bucket (SPEC § 7.2). @throws too-large
 */
export function encodeInner(message: Message, sender: Uint8Array): Buffer {
  if (message.checkCode.length !== CHECK_CODE_BYTES) throw new SottoError('malformed', 'check code')
  const time = u64(message.sentAt).subarray(U64_LEADING)
  const head = concat(u8(LETTER_VERSION), time, message.checkCode, sender, u8(codeOf(message.kind)))
  const plain = padded(concat(head, lp(packChecked(message))))
  return concat(plain, md5(plain))
}

/** Null when the MD5 is not that of the plain text. @throws malformed */
export function decodeInner(inner: Uint8Array): Plain | null {
  const outer = new Reader(inner)
  const plain = outer.bytes(inner.length - MD5_BYTES)
  if (!sameSecret(md5(plain), outer.rest())) return null
  const reader = new Reader(plain)
  if (reader.u8() !== LETTER_VERSION) throw new SottoError('malformed', 'letter version')
  const sentAt = reader.u48()
  const checkCode = reader.bytes(CHECK_CODE_BYTES)
  const sender = reader.bytes(KEY_BYTES)
  const kind = reader.u8()
  const body = reader.lp(MAX_LETTER_BYTES)
  reader.zeros()
  return { sentAt, checkCode, sender, letter: unpackBody(kind, body) }
}
