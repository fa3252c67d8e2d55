import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { concat } from '../foundation/bytes.js'
import { inverse, gcd, toBytes, toInteger } from './numbers.js'
import { PUBLIC_EXPONENT } from './prime-ledger.js'

export const RSA_BITS = 8192
export const MODULUS_BYTES = RSA_BITS / 8
export const PRIME_BYTES = MODULUS_BYTES / 2
export const SEED_BYTES = 32
const EXPONENT_BYTES = 3

interface Primes {
  /** 512 bytes each, big-endian. Bytes, not integers, so that they can be wiped. */
  readonly p: Uint8Array
  readonly q: Uint8Array
}
/** Generated: a seed of 32 bytes and where in its stream the primes stand (SPEC § 2.2). */
export interface SeedRsa extends Primes {
  readonly form: 'seed'
  readonly seed: Uint8Array
  readonly indexP: number
  readonly indexQ: number
}
/** Imported: p and q are all there is. */
export interface PrimesRsa extends Primes {
  readonly form: 'primes'
}
/** The identity's RSA-8192 private key, as it is kept. */
export type RsaSecret = SeedRsa | PrimesRsa

/** What makes the key again: the seed, or p ‖ q. Input of the `dh` derivation (SPEC § 2.1). */
export function rsaRootOf(secret: RsaSecret): Uint8Array {
  return secret.form === 'seed' ? secret.seed : concat(secret.p, secret.q)
}

/** A new KeyObject, about 15 ms. Operations on one KeyObject wait for each other; two run side by side. */
export function privateKey(secret: Primes): KeyObject {
  const [p, q] = [toInteger(secret.p), toInteger(secret.q)]
  const [p1, q1] = [p - 1n, q - 1n]
  const d = inverse(PUBLIC_EXPONENT, (p1 * q1) / gcd(p1, q1))
  const half = secret.p.length
  const jwk = {
    ...publicJwk(secret),
    d: base64url(d, 2 * half),
    p: base64url(p, half),
    q: base64url(q, half),
    dp: base64url(d % p1, half),
    dq: base64url(d % q1, half),
    qi: base64url(inverse(q, p), half),
  }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

/** SubjectPublicKeyInfo DER (RFC 5280), 1062 bytes. */
export function spkiOf(secret: Primes): Buffer {
  return createPublicKey({ key: publicJwk(secret), format: 'jwk' }).export({ type: 'spki', format: 'der' })
}

function publicJwk({ p, q }: Primes): { kty: 'RSA'; n: string; e: string } {
  const n = base64url(toInteger(p) * toInteger(q), p.length + q.length)
  return { kty: 'RSA', n, e: base64url(PUBLIC_EXPONENT, EXPONENT_BYTES) }
}

function base64url(value: bigint, length: number): string {
  return toBytes(value, length).toString('base64url')
}
