import { constants, sign, verify } from 'node:crypto'
import { concat, equalBytes, u16, u32, u64, u8, utf8 } from '../foundation/bytes.js'
import { HASH_BYTES, KEY_BYTES, MD5_BYTES, md5, sha256, x25519 } from '../foundation/crypto.js'
import { SottoError } from '../foundation/errors.js'
import { Reader } from '../foundation/reader.js'
import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  isSoundPoint,
  signEd25519,
  verifyEd25519,
} from './ed25519.js'
import { MODULUS_BYTES, privateKey, type RsaSecret } from './rsa-key.js'
import { parsePeerSpki } from './spki.js'

const VERSION = 1
const LABEL = utf8('sotto/certificate/1')
/** Ten years of 365.25 days, in milliseconds. */
export const CERTIFICATE_LIFETIME_MS = 315_576_000_000
/** How far ahead of ours the issuer's clock may be. */
const CLOCK_LEEWAY_MS = 86_400_000
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: HASH_BYTES }
/** Any secret tells a small-order public key, by agreeing on zero with it. */
const PROBE = Buffer.alloc(KEY_BYTES, 1)

/** What an address key says of its RSA and `dh` keys in one epoch (SPEC § 2.4). */
export interface Certificate {
  /** Ed25519 public key, 32 bytes: the user ID. */
  readonly address: Uint8Array
  readonly epoch: number
  /** SHA-256 (32 bytes) and MD5 (16 bytes) of the RSA key's SubjectPublicKeyInfo. */
  readonly fingerprint: Uint8Array
  readonly md5: Uint8Array
  /** X25519 public key of the epoch, 32 bytes. */
  readonly dh: Uint8Array
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** Commitment to the recovery key, 32 bytes. */
  readonly recovery: Uint8Array
  /** SHA-256 of the previous epoch's SubjectPublicKeyInfo; zeros in epoch 0. */
  readonly predecessor: Uint8Array
  /** Ed25519, 64 bytes. */
  readonly addressSignature: Uint8Array
  /** RSA-PSS by the previous epoch's key: 1024 bytes, none in epoch 0. */
  readonly predecessorSignature: Uint8Array
  /** All of it, as it came. */
  readonly bytes: Uint8Array
}

export interface CertificateContent {
  readonly addressSeed: Uint8Array
  readonly address: Uint8Array
  readonly epoch: number
  readonly spki: Uint8Array
  /** X25519 public key. */
  readonly dh: Uint8Array
  readonly notBefore: number
  readonly recoveryCommitment: Uint8Array
  /** The previous epoch's key; needed from epoch 1 on. */
  readonly predecessor?: { readonly secret: RsaSecret; readonly spki: Uint8Array }
}

/** @throws malformed when epoch and predecessor do not go together */
export function issueCertificate(content: CertificateContent): Buffer {
  const { epoch, spki, predecessor, notBefore } = content
  if (epoch === 0 ? predecessor !== undefined : predecessor === undefined) {
    throw new SottoError('malformed', 'a predecessor belongs to every epoch but the first')
  }
  const body = concat(
    u8(VERSION),
    content.address,
    u32(epoch),
    sha256(spki),
    md5(spki),
    content.dh,
    u64(notBefore),
    u64(notBefore + CERTIFICATE_LIFETIME_MS),
    content.recoveryCommitment,
    predecessor === undefined ? Buffer.alloc(HASH_BYTES) : sha256(predecessor.spki),
  )
  const message = concat(LABEL, body)
  const byPredecessor =
    predecessor === undefined
      ? Buffer.alloc(0)
      : sign('sha256', message, { key: privateKey(predecessor.secret), ...PSS })
  const byAddress = signEd25519(content.addressSeed, message)
  return concat(body, byAddress, u16(byPredecessor.length), byPredecessor, u8(0))
}

/**
 * Structure only: nothing here is proved yet.
 * @throws malformed
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const reader = new Reader(Uint8Array.from(bytes))
  if (reader.u8() !== VERSION) throw new SottoError('malformed', 'certificate version')
  const body = {
    address: reader.bytes(ED25519_KEY_BYTES),
    epoch: reader.u32(),
    fingerprint: reader.bytes(HASH_BYTES),
    md5: reader.bytes(MD5_BYTES),
    dh: reader.bytes(KEY_BYTES),
    notBefore: reader.u64(),
    notAfter: reader.u64(),
    recovery: reader.bytes(HASH_BYTES),
    predecessor: reader.bytes(HASH_BYTES),
  }
  const addressSignature = reader.bytes(ED25519_SIGNATURE_BYTES)
  const predecessorSignature = reader.lp16(MODULUS_BYTES)
  const recoverySignature = reader.lp8()
  reader.end()
  const certificate = { ...body, addressSignature, predecessorSignature, bytes: Uint8Array.from(bytes) }
  if (!isConsistent(certificate, recoverySignature)) throw new SottoError('malformed', 'certificate')
  return certificate
}

/** Lengths and fields that follow from each other. */
function isConsistent(certificate: Certificate, recoverySignature: Uint8Array): boolean {
  const { epoch, predecessor, predecessorSignature, notBefore, notAfter } = certificate
  const first = epoch === 0
  return (
    predecessorSignature.length === (first ? 0 : MODULUS_BYTES) &&
    predecessor.every((byte) => byte === 0) === first &&
    [0, ED25519_SIGNATURE_BYTES].includes(recoverySignature.length) &&
    notAfter === notBefore + CERTIFICATE_LIFETIME_MS
  )
}

/**
 * Proves that `address` vouches for `spki` and `dh`. From epoch 1 on the predecessor's signature is proved only when
 * `predecessorSpki` is given: whoever never saw that key has the address key's word alone.
 * @param expected `address`: whose it must be; `now`: it must be valid then
 * @throws malformed; bad-key for a key that is not canonical RSA-8192; untrusted-key for anything that does not hold
 */
export function verifyCertificate(
  bytes: Uint8Array,
  spki: Uint8Array,
  expected: {
    readonly address?: Uint8Array
    readonly now?: number
    readonly predecessorSpki?: Uint8Array
  } = {},
): Certificate {
  const certificate = parseCertificate(bytes)
  const { address, predecessorSpki, now } = { address: certificate.address, ...expected }
  parsePeerSpki(spki)
  require(equalBytes(address, certificate.address) && isSoundPoint(address), 'another address')
  require(equalBytes(certificate.fingerprint, sha256(spki)), 'another key')
  require(equalBytes(certificate.md5, md5(spki)), 'another key')
  require(isSoundDh(certificate.dh), 'dh')
  const message = concat(LABEL, certificate.bytes.subarray(0, BODY_BYTES))
  require(verifyEd25519(address, message, certificate.addressSignature), 'signature')
  if (predecessorSpki !== undefined) requirePredecessor(certificate, predecessorSpki, message)
  require(now === undefined || isValidAt(certificate, now), 'not valid at this time')
  return certificate
}

const BODY_BYTES =
  1 + ED25519_KEY_BYTES + 4 + HASH_BYTES + MD5_BYTES + KEY_BYTES + 8 + 8 + HASH_BYTES + HASH_BYTES

function requirePredecessor(certificate: Certificate, spki: Uint8Array, message: Uint8Array): void {
  require(equalBytes(certificate.predecessor, sha256(spki)), 'another predecessor')
  const { key } = parsePeerSpki(spki)
  require(verify('sha256', message, { key, ...PSS }, certificate.predecessorSignature), 'predecessor')
}

function isValidAt({ notBefore, notAfter }: Certificate, now: number): boolean {
  return notBefore <= now + CLOCK_LEEWAY_MS && now <= notAfter
}

function isSoundDh(dh: Uint8Array): boolean {
  try {
    return x25519(PROBE, dh).length === KEY_BYTES
  } catch {
    return false
  }
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new SottoError('untrusted-key', `certificate: ${what}`)
}
