import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { createHash } from 'node:crypto'
import { concat, equalBytes, fromHex, utf8, wipe } from '../../foundation/bytes.js'
import { hash } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'

/**
 * Key blinding of Tor's rend-spec-v3, appendix A: who knows a person's address key A and the parameter of a period
 * computes A_p = h·A; the owner signs for it with h·a mod ℓ. Without A, the keys of two periods have nothing in common.
 */
export interface BlindedSecret {
  /** A_p, 32 bytes. */
  readonly public: Uint8Array
  /** h·a mod ℓ, 32 bytes little-endian. */
  readonly scalar: Uint8Array
  /** RH of SPEC § 8.3, 32 bytes. */
  readonly prefix: Uint8Array
}

const { Point } = ed25519
const ORDER = Point.Fn.ORDER
const COFACTOR = 8n
const POINT_BYTES = 32
const SCALAR_BYTES = 32
const FRESH_BYTES = 32
const RECORD_KEY_BYTES = 16
const SMALL_ORDER = ED25519_TORSION_SUBGROUP.map(fromHex)
/** 2^255 − 19, big-endian. */
const FIELD = fromHex(`7f${'ff'.repeat(30)}ed`)

/**
 * A_p = h·A, 32 bytes.
 * @throws malformed when A is no point of the curve in its canonical form, or of small order
 */
export function blindPublic(address: Uint8Array, param: Uint8Array): Uint8Array {
  const h = littleEndian(blindingFactor(param))
  // h may exceed ℓ; taking the cofactor out first keeps h·A exact for every A, as Tor computes it.
  return pointOf(address)
    .multiplyUnsafe(h / COFACTOR)
    .multiplyUnsafe(COFACTOR)
    .toBytes()
}

/** From the 32-byte seed of the address key (RFC 8032). */
export function blindSecret(seed: Uint8Array, param: Uint8Array): BlindedSecret {
  const expanded = sha512(seed)
  const a = clamp(expanded.subarray(0, SCALAR_BYTES))
  const scalar = (littleEndian(blindingFactor(param)) * littleEndian(a)) % ORDER
  const prefix = sha512(utf8('Derive temporary signing key hash input'), expanded.subarray(SCALAR_BYTES))
  const secret = {
    public: Point.BASE.multiply(scalar).toBytes(),
    scalar: toLittleEndian(scalar),
    prefix: prefix.subarray(0, SCALAR_BYTES),
  }
  wipe(expanded)
  return secret
}

/**
 * Ed25519 (RFC 8032) with the blinded scalar, 64 bytes. The nonce takes 32 random bytes besides the prefix: Tor's prefix
 * is the same in every period, and two signatures under one nonce would give the lifetime key away.
 */
export function blindSign(key: BlindedSecret, message: Uint8Array, rng: Rng): Uint8Array {
  const fresh = rng.bytes(FRESH_BYTES)
  const r = modOrder(sha512(utf8('sotto/blind-nonce/1'), key.prefix, key.public, fresh, message))
  const commitment = Point.BASE.multiply(r).toBytes()
  const challenge = modOrder(sha512(commitment, key.public, message))
  const response = (r + challenge * littleEndian(key.scalar)) % ORDER
  return concat(commitment, toLittleEndian(response))
}

/** What a record is stored and asked for under: 16 bytes. */
export function recordKey(blinded: Uint8Array): Uint8Array {
  return hash('sotto/record-key/1', blinded).subarray(0, RECORD_KEY_BYTES)
}

/**
 * False for encodings that are not canonical and for the eight points of small order, for which anyone can sign. By
 * comparing bytes, because a tracker does it for every put; whether the rest are points is for the verification to see.
 */
export function isBlindedKey(bytes: Uint8Array): boolean {
  if (bytes.length !== POINT_BYTES) return false
  const y = Buffer.from(bytes).reverse()
  y.writeUInt8(y.readUInt8(0) & 0x7f, 0)
  if (Buffer.compare(y, FIELD) >= 0) return false
  return !SMALL_ORDER.some((point) => equalBytes(point, bytes)) && !isNegativeZero(bytes)
}

/** x = 0 with the sign bit set: y = ±1 in a second, non-canonical way of writing. */
function isNegativeZero(bytes: Uint8Array): boolean {
  const plain = Buffer.from(bytes)
  plain.writeUInt8(plain.readUInt8(POINT_BYTES - 1) & 0x7f, POINT_BYTES - 1)
  return SMALL_ORDER.some((point) => equalBytes(point, plain))
}

function pointOf(bytes: Uint8Array) {
  const point = decompressed(bytes)
  if (point.isSmallOrder()) throw new SottoError('malformed', 'address key of small order')
  return point
}

function decompressed(bytes: Uint8Array) {
  try {
    return Point.fromBytes(Uint8Array.from(bytes))
  } catch (cause) {
    throw new SottoError('malformed', 'address key', { cause })
  }
}

function blindingFactor(param: Uint8Array): Uint8Array {
  return clamp(sha512(utf8('Derive temporary signing key'), param).subarray(0, SCALAR_BYTES))
}

/** The clamp of RFC 8032 § 5.1.5 on a copy of 32 bytes. */
function clamp(bytes: Uint8Array): Uint8Array {
  const out = Buffer.from(bytes)
  out.writeUInt8(out.readUInt8(0) & 248, 0)
  out.writeUInt8((out.readUInt8(31) & 63) | 64, 31)
  return out
}

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const sha = createHash('sha512')
  for (const part of parts) sha.update(part)
  return sha.digest()
}

function modOrder(bytes: Uint8Array): bigint {
  return littleEndian(bytes) % ORDER
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function toLittleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex').reverse()
}
