import { concat, lp, u64, utf8 } from '../../foundation/bytes.js'
import { kdf, mac, x25519 } from '../../foundation/crypto.js'
import { Reader } from '../../foundation/reader.js'

export const PROOF_NONCE_BYTES = 16
export const PROOF_TAG_BYTES = 16
export const EPHEMERAL_BYTES = 32
export const PROOF_BYTES = 72
const TIME_BYTES = 8
const COOKIE = /^[A-Za-z0-9_-]{96}$/

/** The request a proof is bound to: another path or host needs another proof. */
export interface Place {
  readonly path: string
  readonly host: string
}

export interface ProofParts {
  readonly nonce: Buffer
  readonly masked: Buffer
  readonly maskedTime: Buffer
  readonly tag: Buffer
}

/** Proof = nonce 16 ‖ masked ephemeral 32 ‖ masked time 8 ‖ tag 16 (SPEC § 6.2). @throws malformed */
export function parseProof(proof: Uint8Array): ProofParts {
  const reader = new Reader(proof)
  const parts = {
    nonce: reader.bytes(PROOF_NONCE_BYTES),
    masked: reader.bytes(EPHEMERAL_BYTES),
    maskedTime: reader.bytes(TIME_BYTES),
    tag: reader.bytes(PROOF_TAG_BYTES),
  }
  reader.end()
  return parts
}

/** The cookie `sid`: base64url without padding, 96 characters. */
export function cookieOfProof(proof: Uint8Array): string {
  return Buffer.from(proof).toString('base64url')
}

/** Null for anything that could not be a proof. */
export function proofOfCookie(value: string): Buffer | null {
  return COOKIE.test(value) ? Buffer.from(value, 'base64url') : null
}

/** Hides or shows an ephemeral key: curve points in the open would stand out over many samples. */
export function maskEphemeral(ephemeral: Uint8Array, introduction: Uint8Array, nonce: Uint8Array): Buffer {
  return xor(ephemeral, kdf(introduction, 'sotto/mask/1', nonce))
}

export function maskTime(secret: Uint8Array, nonce: Uint8Array, time: Uint8Array): Buffer {
  return xor(time, mac(secret, 'sotto/proof-time/1', nonce).subarray(0, TIME_BYTES))
}

/** Milliseconds, or NaN for a number no clock shows. */
export function unmaskTime(secret: Uint8Array, parts: ProofParts): number {
  const time = maskTime(secret, parts.nonce, parts.maskedTime).readBigUInt64BE()
  return time <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(time) : NaN
}

export function tagOf(
  secret: Uint8Array,
  parts: Omit<ProofParts, 'tag'>,
  method: string,
  place: Place,
): Buffer {
  const request = concat(lp(utf8(method)), lp(utf8(place.path)), lp(utf8(place.host)))
  const covered = concat(parts.nonce, parts.masked, parts.maskedTime, request)
  return mac(secret, 'sotto/proof/1', covered).subarray(0, PROOF_TAG_BYTES)
}

/** The secret of a first contact: X25519 of one's own half with the other's, bound to both public halves. */
export function introSecret(
  own: Uint8Array,
  theirs: Uint8Array,
  ephemeral: Uint8Array,
  introduction: Uint8Array,
): Buffer {
  return kdf(x25519(own, theirs), 'sotto/intro-proof/1', concat(ephemeral, introduction))
}

export function carrierKey(secret: Uint8Array, parts: Pick<ProofParts, 'nonce' | 'masked'>): Buffer {
  return kdf(secret, 'sotto/carrier/1', concat(parts.nonce, parts.masked))
}

/** Assembles a proof whose secret is known. */
export function buildProof(
  secret: Uint8Array,
  nonce: Buffer,
  masked: Buffer,
  place: Place,
  now: number,
): { proof: Buffer; sessionKey: Buffer } {
  const parts = { nonce, masked, maskedTime: maskTime(secret, nonce, u64(now)) }
  const tag = tagOf(secret, parts, 'GET', place)
  return { proof: concat(nonce, masked, parts.maskedTime, tag), sessionKey: carrierKey(secret, parts) }
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)))
}
