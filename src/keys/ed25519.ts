import { ed25519 } from '@noble/curves/ed25519.js'
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { concat } from '../foundation/bytes.js'

export const ED25519_SEED_BYTES = 32
export const ED25519_KEY_BYTES = 32
export const ED25519_SIGNATURE_BYTES = 64

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** The public key (32 bytes) of a seed of 32 bytes (RFC 8032 § 5.1.5). */
export function ed25519Public(seed: Uint8Array): Buffer {
  const spki = createPublicKey(secretKey(seed)).export({ format: 'der', type: 'spki' })
  return spki.subarray(SPKI_PREFIX.length)
}

/** 64 bytes. */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Buffer {
  return sign(null, message, secretKey(seed))
}

/** Whether the signature holds (RFC 8032, without cofactor). Says nothing of small order: see `isSoundPoint`. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ED25519_KEY_BYTES || signature.length !== ED25519_SIGNATURE_BYTES) return false
  const key = createPublicKey({ key: concat(SPKI_PREFIX, publicKey), format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

/**
 * Whether these 32 bytes are the one canonical encoding of a point that is not of small order. A small-order key
 * accepts signatures that nobody made ("Taming the many EdDSAs", § 4).
 */
export function isSoundPoint(bytes: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(Uint8Array.from(bytes), false).isSmallOrder()
  } catch {
    return false
  }
}

function secretKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: concat(PKCS8_PREFIX, seed), format: 'der', type: 'pkcs8' })
}
