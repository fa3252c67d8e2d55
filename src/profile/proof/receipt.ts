import { concat, u64, u8, utf8 } from '../../foundation/bytes.js'
import { HASH_BYTES } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  isSoundPoint,
  signEd25519,
  verifyEd25519,
} from '../../keys/ed25519.js'

export const RECEIPT_PREFIX = 'sotto-receipt-1:'
const LABEL = utf8('sotto/receipt/1')
const VERSION = 1
const LOG_ID_BYTES = 16
const TIME_BYTES = 6
const BODY_BYTES = 1 + LOG_ID_BYTES + ED25519_KEY_BYTES + 8 + HASH_BYTES + TIME_BYTES

/** That a log stood at a link after so many records, as its owner says (SPEC § 4.8). */
export interface Receipt {
  /** 16 bytes. */
  readonly logId: Uint8Array
  /** The owner's address key, 32 bytes. */
  readonly address: Uint8Array
  /** The last record of a group. */
  readonly seq: number
  /** The chain's link after it, 32 bytes. */
  readonly link: Uint8Array
  /** When it was given, milliseconds since 1970. */
  readonly at: number
}

/** A receipt as it was read: whoever wrote it. */
export interface SignedReceipt extends Receipt {
  readonly body: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** The text of a receipt, one line without a break. `seed` is the Ed25519 seed of the address key. Not deniable. */
export function writeReceipt(seed: Uint8Array, receipt: Receipt): string {
  const body = bodyOf(receipt)
  const signature = signEd25519(seed, concat(LABEL, body))
  return RECEIPT_PREFIX + concat(body, signature).toString('base64url')
}

/** Reads the one form a receipt has; its signature is looked at by `isGenuine`. @throws bad-receipt */
export function readReceipt(text: string): SignedReceipt {
  const encoded = text.slice(RECEIPT_PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer skips what is no base64url: only bytes that give the same text again are meant.
  const exact = text.startsWith(RECEIPT_PREFIX) && bytes.toString('base64url') === encoded
  if (!exact || bytes.length !== BODY_BYTES + ED25519_SIGNATURE_BYTES) throw new SottoError('bad-receipt')
  const body = bytes.subarray(0, BODY_BYTES)
  return { ...fieldsOf(body), body, signature: bytes.subarray(BODY_BYTES) }
}

/** The owner of the address key in it signed it. */
export function isGenuine({ address, body, signature }: SignedReceipt): boolean {
  return isSoundPoint(address) && verifyEd25519(address, concat(LABEL, body), signature)
}

function bodyOf({ logId, address, seq, link, at }: Receipt): Buffer {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(at, 0, TIME_BYTES)
  return concat(u8(VERSION), logId, address, u64(seq), link, time)
}

function fieldsOf(body: Buffer): Receipt {
  const fields = new Reader(body)
  if (fields.u8() !== VERSION) throw new SottoError('bad-receipt', 'it is of a newer sotto')
  const logId = fields.bytes(LOG_ID_BYTES)
  const address = fields.bytes(ED25519_KEY_BYTES)
  const seq = sequenceNumber(fields)
  return { logId, address, seq, link: fields.bytes(HASH_BYTES), at: fields.u48() }
}

function sequenceNumber(fields: Reader): number {
  try {
    return fields.u64()
  } catch (cause) {
    throw new SottoError('bad-receipt', undefined, { cause })
  }
}
