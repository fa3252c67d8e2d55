import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  timingSafeEqual,
} from 'node:crypto'
import { concat, utf8 } from './bytes.js'
import { SottoError } from './errors.js'

export const HASH_BYTES = 32
export const MD5_BYTES = 16
export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

/** Every domain separation string of ours. */
export type Label = `sotto/${string}`

/** H(label, x…) of SPEC § 0: SHA-256(label ‖ x ‖ …), 32 bytes. Variable-length parts are `lp`-prefixed by the caller. */
export function hash(label: Label, ...parts: readonly Uint8Array[]): Buffer {
  const sha = createHash('sha256').update(label)
  for (const part of parts) sha.update(part)
  return sha.digest()
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const sha = createHash('sha256')
  for (const part of parts) sha.update(part)
  return sha.digest()
}

/** The user's checksum (16 bytes). It decides nothing: a sound check always stands beside it. */
export function md5(...parts: readonly Uint8Array[]): Buffer {
  const sum = createHash('md5')
  for (const part of parts) sum.update(part)
  return sum.digest()
}

/** MAC(k, label, x…) of SPEC § 0: HMAC-SHA-256 (RFC 2104), 32 bytes. */
export function mac(key: Uint8Array, label: Label, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha256', key).update(label)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** KDF(ikm, label, context, n, salt) of SPEC § 0: HKDF-SHA-256 (RFC 5869), info = label ‖ context. */
export function kdf(
  ikm: Uint8Array,
  label: Label,
  context: Uint8Array = new Uint8Array(0),
  length = KEY_BYTES,
  salt: Uint8Array = new Uint8Array(0),
): Buffer {
  return Buffer.from(hkdfSync('sha256', ikm, salt, concat(utf8(label), context), length))
}

/** AES-256-GCM (SP 800-38D): ciphertext ‖ 16-byte tag. The caller owns the uniqueness of (key, nonce). */
export function seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aad)
  const body = cipher.update(plaintext)
  return concat(body, cipher.final(), cipher.getAuthTag())
}

/** @returns the plaintext, or null when the bytes were not made with this key, nonce and aad */
export function unseal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Buffer | null {
  if (sealed.length < TAG_BYTES) return null
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  try {
    return concat(decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final())
  } catch {
    return null
  }
}

/** Compares secrets in constant time; unequal lengths are unequal. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** The public half (32 bytes) of a 32-byte X25519 secret (RFC 7748). */
export function x25519Public(secret: Uint8Array): Buffer {
  const { x } = createPublicKey(x25519Secret(secret)).export({ format: 'jwk' })
  return Buffer.from(x ?? '', 'base64url')
}

/**
 * X25519 (RFC 7748), 32 bytes.
 * @throws malformed when the peer's point is of small order (an all-zero shared secret)
 */
export function x25519(secret: Uint8Array, peer: Uint8Array): Buffer {
  if (peer.length !== KEY_BYTES) throw new SottoError('malformed', 'x25519 public key')
  const publicKey = createPublicKey({ key: { ...X25519_JWK, x: base64url(peer) }, format: 'jwk' })
  try {
    return diffieHellman({ privateKey: x25519Secret(secret), publicKey })
  } catch (cause) {
    throw new SottoError('malformed', 'x25519 public key', { cause })
  }
}

const X25519_JWK = { kty: 'OKP', crv: 'X25519' } as const
/** An OKP private key needs a public half to be well formed (RFC 8037); OpenSSL computes its own from `d`. */
const ANY_PUBLIC = base64url(new Uint8Array(KEY_BYTES))

/** As JWK, because OpenSSL 3 takes ten times as long to read the same 32 bytes as PKCS#8 (0.7 ms): strangers cost one each. */
function x25519Secret(secret: Uint8Array) {
  return createPrivateKey({ key: { ...X25519_JWK, x: ANY_PUBLIC, d: base64url(secret) }, format: 'jwk' })
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}
