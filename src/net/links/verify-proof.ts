import { sameSecret } from '../../foundation/crypto.js'
import { isSottoError } from '../../foundation/errors.js'
import type { Proven } from '../effects.js'
import {
  carrierKey,
  introSecret,
  maskEphemeral,
  parseProof,
  PROOF_BYTES,
  tagOf,
  unmaskTime,
  type Place,
  type ProofParts,
} from './proof-format.js'
import type { ReplayCache } from './replay-cache.js'

/** How far a caller's clock may be from ours, in milliseconds (SPEC § 6.2). */
export const PROOF_WINDOW_MS = 60_000
const STRANGERS = 'strangers'

export interface ContactToken {
  readonly who: string
  readonly token: Uint8Array
}
export interface IntroductionPair {
  readonly secret: Uint8Array
  readonly public: Uint8Array
}
export interface ProofClaim extends Place {
  readonly proof: Uint8Array
  readonly method: string
  readonly now: number
  /** Proofs dated before this process began are refused: the replay cache does not reach back further. */
  readonly startedAt: number
  readonly contacts: Iterable<ContactToken>
  readonly introductions: Iterable<IntroductionPair>
  readonly replays: ReplayCache
}

interface Match {
  readonly secret: Uint8Array
  readonly bucket: string
  readonly proven: Proven
}

/** What the caller proved, or null; all secrets are tried whatever matches, so the time taken tells nothing. */
export function verifyProof(claim: ProofClaim): Proven | null {
  if (claim.proof.length !== PROOF_BYTES) return null
  const parts = parseProof(claim.proof)
  const matches = [...contactMatches(claim, parts), ...introductionMatches(claim, parts)]
  const match = matches[0]
  return match !== undefined && isFresh(claim, parts, match) ? match.proven : null
}

function isFresh(claim: ProofClaim, parts: ProofParts, match: Match): boolean {
  const time = unmaskTime(match.secret, parts)
  if (!(Math.abs(time - claim.now) <= PROOF_WINDOW_MS) || time < claim.startedAt) return false
  return claim.replays.admit(match.bucket, parts.nonce, time + PROOF_WINDOW_MS, claim.now)
}

function contactMatches(claim: ProofClaim, parts: ProofParts): Match[] {
  const found: Match[] = []
  for (const { who, token } of claim.contacts) {
    if (!sameSecret(tagOf(token, parts, claim.method, claim), parts.tag)) continue
    const proven = { kind: 'contact', who, proof: claim.proof, sessionKey: carrierKey(token, parts) } as const
    found.push({ secret: token, bucket: who, proven })
  }
  return found
}

function introductionMatches(claim: ProofClaim, parts: ProofParts): Match[] {
  const found: Match[] = []
  for (const pair of claim.introductions) {
    const ephemeral = maskEphemeral(parts.masked, pair.public, parts.nonce)
    const secret = agreedSecret(pair, ephemeral)
    if (secret === null || !sameSecret(tagOf(secret, parts, claim.method, claim), parts.tag)) continue
    const sessionKey = carrierKey(secret, parts)
    const proven = {
      kind: 'intro',
      proof: claim.proof,
      sessionKey,
      ephemeral,
      introduction: pair.public,
    } as const
    found.push({ secret, bucket: STRANGERS, proven })
  }
  return found
}

/** Null for an ephemeral of small order, whose agreement anybody could compute. */
function agreedSecret(pair: IntroductionPair, ephemeral: Uint8Array): Buffer | null {
  try {
    return introSecret(pair.secret, ephemeral, ephemeral, pair.public)
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}
