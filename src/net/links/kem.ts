import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'

/** ML-KEM-768 (FIPS 203), its randomness injected. */
export const KEM_PUBLIC_BYTES = 1184
export const KEM_CIPHERTEXT_BYTES = 1088
const SEED_BYTES = 64
const MESSAGE_BYTES = 32

export function kemKeygen(rng: Rng): { publicKey: Uint8Array; secretKey: Uint8Array } {
  return ml_kem768.keygen(rng.bytes(SEED_BYTES))
}

/** @throws malformed when the key fails the input check of FIPS 203 § 7.2 */
export function kemEncapsulate(
  publicKey: Uint8Array,
  rng: Rng,
): { cipherText: Uint8Array; sharedSecret: Uint8Array } {
  const message = rng.bytes(MESSAGE_BYTES)
  try {
    return ml_kem768.encapsulate(publicKey, message)
  } catch (cause) {
    throw new SottoError('malformed', 'ml-kem public key', { cause })
  }
}

/** A foreign ciphertext gives an unrelated secret (implicit rejection). @throws malformed for a wrong length */
export function kemDecapsulate(ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array {
  if (ciphertext.length !== KEM_CIPHERTEXT_BYTES) throw new SottoError('malformed', 'ml-kem ciphertext')
  return ml_kem768.decapsulate(ciphertext, secretKey)
}
