import { crc32 } from 'node:zlib'
import { concat, lp, u32, wipe } from '../foundation/bytes.js'
import {
  hash,
  HASH_BYTES,
  kdf,
  KEY_BYTES,
  MD5_BYTES,
  md5,
  NONCE_BYTES,
  sameSecret,
  seal,
  sha256,
  TAG_BYTES,
  unseal,
} from '../foundation/crypto.js'
import { SottoError } from '../foundation/errors.js'
import { Reader } from '../foundation/reader.js'
import type { Rng } from '../foundation/rng.js'
import {
  encodeHeader,
  HEADER_BYTES,
  MAX_LOG_N,
  MIN_LOG_N,
  readHeader,
  SALT_BYTES,
  understandHeader,
  type BoxHeader,
  type PayloadType,
} from './box-header.js'
import { stretch } from './stretch.js'

export type { BoxHeader, PayloadType } from './box-header.js'

const DEFAULT_LOG_N = 18
const CRC_BYTES = 4
const MIN_BOX_BYTES = HEADER_BYTES + HASH_BYTES + MD5_BYTES + TAG_BYTES + CRC_BYTES
export const MAX_BOX_BYTES = 16 * 1024
/** Salt, and so the key, is new at each sealing. */
const NONCE = Buffer.alloc(NONCE_BYTES)
const NO_DONGLE = Buffer.alloc(0)
const NO_FIDO2 = Buffer.alloc(0)

export interface BoxOptions {
  /** scrypt's N is 2 to this: 17 to 20, 18 when left out. For sealing. */
  readonly logN?: number
  /** Tests only: the least logN that sealing and opening accept, below 17. */
  readonly unsafeLogN?: number
}

/**
 * Seals a payload under a passphrase (SPEC § 3), a new salt each time.
 * @throws usage for an empty passphrase, backup-parameters for work out of bounds
 */
export async function sealBox(
  payload: Uint8Array,
  type: PayloadType,
  passphrase: string,
  rng: Rng,
  options: BoxOptions = {},
): Promise<Buffer> {
  const logN = options.logN ?? options.unsafeLogN ?? DEFAULT_LOG_N
  if (logN < (options.unsafeLogN ?? MIN_LOG_N) || logN > MAX_LOG_N) throw new SottoError('backup-parameters')
  if (passphrase === '') throw new SottoError('usage', 'an empty passphrase protects nothing')
  const header = { type, logN, salt: rng.bytes(SALT_BYTES) }
  const encoded = encodeHeader(header)
  const { key, commitment } = await keysOf(header, encoded, passphrase)
  const plain = concat(payload, md5(payload))
  const box = concat(encoded, commitment, seal(key, NONCE, concat(encoded, commitment), plain))
  wipe(key, plain)
  return concat(box, u32(crc32(box)))
}

/**
 * What can be said of a box without its passphrase.
 * @throws not-a-backup, backup-version, backup-parameters, backup-damaged: in this order, and before any costly work
 */
export function checkBox(bytes: Uint8Array, options: Pick<BoxOptions, 'unsafeLogN'> = {}): BoxHeader {
  if (bytes.length < MIN_BOX_BYTES || bytes.length > MAX_BOX_BYTES) throw new SottoError('not-a-backup')
  const raw = readHeader(new Reader(bytes), options.unsafeLogN ?? MIN_LOG_N)
  const end = bytes.length - CRC_BYTES
  if (new Reader(bytes.subarray(end)).u32() !== crc32(bytes.subarray(0, end))) {
    throw new SottoError('backup-damaged')
  }
  return understandHeader(raw)
}

/**
 * The payload, for the caller to wipe.
 * @param expectedType refused before any costly work when the header says another
 * @throws what checkBox throws; wrong-passphrase for all that the passphrase decides
 */
export async function openBox(
  bytes: Uint8Array,
  passphrase: string,
  expectedType?: PayloadType,
  options: Pick<BoxOptions, 'unsafeLogN'> = {},
): Promise<{ readonly type: PayloadType; readonly payload: Uint8Array }> {
  const header = checkBox(bytes, options)
  const { type } = header
  if (expectedType !== undefined && type !== expectedType)
    throw new SottoError('not-a-backup', `it is a ${type} file`)
  const reader = new Reader(bytes.subarray(0, bytes.length - CRC_BYTES))
  const encoded = reader.bytes(HEADER_BYTES)
  const committed = reader.bytes(HASH_BYTES)
  const { key, commitment } = await keysOf(header, encoded, passphrase)
  // GCM alone would let one box open under several chosen passphrases (partitioning oracles).
  const plain = sameSecret(commitment, committed)
    ? unseal(key, NONCE, concat(encoded, committed), reader.rest())
    : null
  wipe(key)
  return { type, payload: withoutMd5(plain) }
}

/** The plaintext's MD5, as the user asked; GCM has proved more than it can. */
function withoutMd5(plain: Buffer | null): Uint8Array {
  if (plain === null) throw new SottoError('wrong-passphrase')
  const payload = plain.subarray(0, plain.length - MD5_BYTES)
  if (!sameSecret(md5(payload), plain.subarray(payload.length))) throw new SottoError('wrong-passphrase')
  return payload
}

/** KEK of SPEC § 3: 32 bytes that seal, 32 that only go into the commitment. */
async function keysOf(header: BoxHeader, encoded: Uint8Array, passphrase: string) {
  const stretched = await stretch(passphrase, header.salt, header.logN)
  const factors = concat(lp(stretched), lp(NO_DONGLE), lp(NO_FIDO2))
  const both = kdf(factors, 'sotto/box/1', sha256(encoded), 2 * KEY_BYTES, header.salt)
  const key = Buffer.from(both.subarray(0, KEY_BYTES))
  const commitment = hash('sotto/box-commitment/1', both.subarray(KEY_BYTES))
  wipe(stretched, factors, both)
  return { key, commitment }
}
