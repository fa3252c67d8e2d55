import { KEY_BYTES, x25519Public } from '../../foundation/crypto.js'
import type { Rng } from '../../foundation/rng.js'
import {
  buildProof,
  EPHEMERAL_BYTES,
  introSecret,
  maskEphemeral,
  PROOF_NONCE_BYTES,
  type Place,
} from './proof-format.js'

export { cookieOfProof, proofOfCookie, PROOF_BYTES, type Place } from './proof-format.js'
export { verifyProof, type ContactToken, type IntroductionPair, type ProofClaim } from './verify-proof.js'

export interface ContactProof {
  /** 72 bytes, indistinguishable from random ones. */
  readonly proof: Buffer
  /** What both ends draw the carrier's keys from, 32 bytes. */
  readonly sessionKey: Buffer
}
export interface IntroProof extends ContactProof {
  readonly ephemeralSecret: Buffer
  readonly ephemeral: Buffer
}

/** Proves knowledge of the token that the callee gave us. */
export function makeContactProof(
  params: Place & { readonly token: Uint8Array; readonly now: number; readonly rng: Rng },
): ContactProof {
  const { token, now, rng } = params
  return buildProof(token, rng.bytes(PROOF_NONCE_BYTES), rng.bytes(EPHEMERAL_BYTES), params, now)
}

/**
 * Proves knowledge of an introduction key (32 bytes), for strangers.
 * @throws malformed when the introduction key is of small order
 */
export function makeIntroProof(
  params: Place & { readonly introduction: Uint8Array; readonly now: number; readonly rng: Rng },
): IntroProof {
  const { introduction, now, rng } = params
  const ephemeralSecret = rng.bytes(KEY_BYTES)
  const ephemeral = x25519Public(ephemeralSecret)
  const nonce = rng.bytes(PROOF_NONCE_BYTES)
  const secret = introSecret(ephemeralSecret, introduction, ephemeral, introduction)
  const built = buildProof(secret, nonce, maskEphemeral(ephemeral, introduction, nonce), params, now)
  return { ...built, ephemeralSecret, ephemeral }
}
