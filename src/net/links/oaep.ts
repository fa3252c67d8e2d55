import { constants, publicEncrypt, type KeyObject } from 'node:crypto'

/** Length of an RSA-8192 ciphertext. */
export const OAEP_BYTES = 1024
/** Length of every secret sealed to an identity key. */
export const OAEP_SECRET_BYTES = 32

/**
 * RSA-OAEP (RFC 8017 § 7.1.1) with SHA-256, MGF1-SHA-256 and a label. The padding's randomness is OpenSSL's own:
 * the one place where the injected generator does not reach.
 */
export function sealOaep(key: KeyObject, label: Uint8Array, secret: Uint8Array): Buffer {
  return publicEncrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: label },
    secret,
  )
}
