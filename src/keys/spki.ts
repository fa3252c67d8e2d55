import { createPublicKey, type KeyObject } from 'node:crypto'
import { equalBytes, toHex } from '../foundation/bytes.js'
import { md5, sha256 } from '../foundation/crypto.js'
import { SottoError } from '../foundation/errors.js'
import { MODULUS_BYTES } from './rsa-key.js'

/** All of a canonical SubjectPublicKeyInfo of RSA-8192 (RFC 8017, 5280) that stands before the modulus … */
const PREFIX = Buffer.from('30820422300d06092a864886f70d01010105000382040f003082040a0282040100', 'hex')
/** … and after it: e = 65537. */
const SUFFIX = Buffer.from('0203010001', 'hex')
export const SPKI_BYTES = PREFIX.length + MODULUS_BYTES + SUFFIX.length

export interface PeerSpki {
  readonly key: KeyObject
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string
  /** MD5 of the DER, lower-case hex. It decides nothing. */
  readonly md5: string
}

/**
 * A peer's key. Only one byte string is accepted for a key, and only keys of exactly 8192 bits with e = 65537: so
 * equal keys have equal fingerprints, and no parser of ours meets hostile ASN.1.
 * @throws bad-key
 */
export function parsePeerSpki(der: Uint8Array): PeerSpki {
  const modulusEnd = PREFIX.length + MODULUS_BYTES
  const framed =
    der.length === SPKI_BYTES &&
    equalBytes(der.subarray(0, PREFIX.length), PREFIX) &&
    equalBytes(der.subarray(modulusEnd), SUFFIX)
  if (!framed || !isPlausibleModulus(der.subarray(PREFIX.length, modulusEnd))) throw new SottoError('bad-key')
  const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  return { key, fingerprint: toHex(sha256(der)), md5: toHex(md5(der)) }
}

/** 8192 bits long, and odd: OpenSSL cannot count modulo an even number. */
function isPlausibleModulus(modulus: Uint8Array): boolean {
  const first = modulus.at(0) ?? 0
  const last = modulus.at(-1) ?? 0
  return first >= 0x80 && last % 2 === 1
}
