import { concat, u16, u32, u64, u8, utf8 } from '../../foundation/bytes.js'
import { kdf, NONCE_BYTES, seal, TAG_BYTES, unseal } from '../../foundation/crypto.js'
import { isSottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import { verifyEd25519 } from '../../keys/ed25519.js'
import {
  blindPublic,
  type BlindedSecret,
  blindSecret,
  blindSign,
  isBlindedKey,
  recordKey,
} from './blinding.js'
import { blindParam, KIND_CODE, type RecordKind } from './period.js'
import { decodeBody, encodeBody, type RecordBody, VALUE_PLAINTEXT_BYTES } from './record-body.js'

export type { RecordBody } from './record-body.js'

/** What a tracker gives out (SPEC § 8.4): the asker knows A_p and the period and verifies. */
export interface TrackerRecord {
  readonly seq: number
  /** Minutes. */
  readonly ttl: number
  /** Reserved, 16 zero bytes. */
  readonly anchor: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
  /** 120 bytes from us, at most 512 from anyone. */
  readonly value: Uint8Array
}

/** What an owner puts. */
export interface PutRecord extends TrackerRecord {
  /** A_p, 32 bytes. */
  readonly blinded: Uint8Array
  readonly period: number
}

/** Which record of whom, for which period; `secret` is the friend secret, empty for public records. */
export interface RecordPlace {
  readonly kind: RecordKind
  /** A, 32 bytes. */
  readonly address: Uint8Array
  readonly secret: Uint8Array
  readonly period: number
}

/** A place with what follows from it: A_p (32 bytes) and the record key (16 bytes). */
export interface BlindedPlace extends RecordPlace {
  readonly blinded: Uint8Array
  readonly key: Uint8Array
}

export const ANCHOR_BYTES = 16
export const SIGNATURE_BYTES = 64
export const BLINDED_BYTES = 32
export const MAX_VALUE_BYTES = 512
export const VALUE_BYTES = NONCE_BYTES + VALUE_PLAINTEXT_BYTES + TAG_BYTES

/** @throws malformed when the place's address is no sound key */
export function blindPlace(place: RecordPlace): BlindedPlace {
  const blinded = blindPublic(place.address, paramOf(place))
  return { ...place, blinded, key: recordKey(blinded) }
}

/** The owner's half: the signing key of a place, from the 32-byte seed of the address key. */
export function blindOwnPlace(
  place: RecordPlace,
  seed: Uint8Array,
): BlindedPlace & { signer: BlindedSecret } {
  const signer = blindSecret(seed, paramOf(place))
  return { ...place, blinded: signer.public, key: recordKey(signer.public), signer }
}

/** Seals and signs (SPEC § 8.2, 8.3). */
export function buildRecord(
  place: BlindedPlace & { readonly signer: BlindedSecret },
  fields: { readonly seq: number; readonly ttl: number; readonly body: RecordBody },
  rng: Rng,
): PutRecord {
  const nonce = rng.bytes(NONCE_BYTES)
  const value = concat(nonce, seal(valueKey(place), nonce, place.blinded, encodeBody(fields.body)))
  const unsigned = {
    ...{ blinded: place.blinded, period: place.period, seq: fields.seq, ttl: fields.ttl },
    ...{ anchor: new Uint8Array(ANCHOR_BYTES), value },
  }
  return { ...unsigned, signature: blindSign(place.signer, signedMessage(unsigned), rng) }
}

/** True when the holder of the blinded key signed exactly this (RFC 8032; no small-order or non-canonical A_p). */
export function verifyRecord(record: PutRecord): boolean {
  return (
    isBlindedKey(record.blinded) && verifyEd25519(record.blinded, signedMessage(record), record.signature)
  )
}

/** @returns null when the value was not sealed for this place, or holds what this version cannot read */
export function openRecord(place: BlindedPlace, value: Uint8Array): RecordBody | null {
  const nonce = value.subarray(0, NONCE_BYTES)
  if (value.length !== VALUE_BYTES) return null
  const plain = unseal(valueKey(place), nonce, place.blinded, value.subarray(NONCE_BYTES))
  if (plain === null) return null
  try {
    return decodeBody(plain)
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}

function paramOf(place: RecordPlace): Uint8Array {
  return blindParam(place.kind, place.address, place.secret, place.period)
}

function valueKey({ kind, address, secret, period }: RecordPlace): Uint8Array {
  return kdf(concat(address, secret), 'sotto/record-value/1', concat(u8(KIND_CODE[kind]), u32(period)))
}

function signedMessage(record: Omit<PutRecord, 'signature'>): Uint8Array {
  const { blinded, period, seq, ttl, anchor, value } = record
  const head = concat(utf8('sotto/record/1'), blinded, u32(period), u64(seq), u16(ttl), anchor)
  return concat(head, u16(value.length), value)
}
