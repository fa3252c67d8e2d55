import type { Endpoint } from '../../events/vocabulary/facts.js'
import { concat, u16, u32, u64, u8, utf8 } from '../../foundation/bytes.js'
import { kdf, KEY_BYTES, NONCE_BYTES, seal, TAG_BYTES, unseal } from '../../foundation/crypto.js'
import { isSottoError, SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
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
import { encodeEndpoint, readEndpoint } from './endpoint.js'
import { blindParam, KIND_CODE, type RecordKind } from './period.js'

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

/** What only those who know the place read. */
export interface RecordBody {
  readonly status: 'online' | 'offline'
  readonly at: number
  /** X25519, 32 bytes. */
  readonly introduction: Uint8Array | null
  /** Reserved: verification questions stand in a record of their own. */
  readonly questions: boolean
  readonly endpoints: readonly Endpoint[]
}

export const ANCHOR_BYTES = 16
export const SIGNATURE_BYTES = 64
export const BLINDED_BYTES = 32
export const MAX_VALUE_BYTES = 512
/** Padded to one size, so that a value's length says nothing. */
export const VALUE_PLAINTEXT_BYTES = 92
export const VALUE_BYTES = NONCE_BYTES + VALUE_PLAINTEXT_BYTES + TAG_BYTES

const BODY_VERSION = 1
const TIME_BYTES = 6
const FLAG = { introduction: 1, questions: 2 } as const

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

/** Seals and signs (SPEC § 8.2, 8.3). Endpoints beyond the room of 92 bytes are left out, the last first. */
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

function encodeBody(body: RecordBody): Uint8Array {
  const out = Buffer.alloc(VALUE_PLAINTEXT_BYTES)
  const head = concat(
    ...[u8(BODY_VERSION), u8(body.status === 'online' ? 1 : 0), u48(body.at), u8(flagsOf(body))],
    body.introduction ?? new Uint8Array(0),
  )
  const endpoints = fitting(body.endpoints.map(encodeEndpoint), VALUE_PLAINTEXT_BYTES - head.length - 1)
  concat(head, u8(endpoints.length), ...endpoints).copy(out)
  return out
}

function decodeBody(plain: Uint8Array): RecordBody {
  const reader = new Reader(plain)
  if (reader.u8() !== BODY_VERSION) throw new SottoError('malformed', 'version of a record')
  const status = reader.u8()
  if (status > 1) throw new SottoError('malformed', 'status')
  const at = reader.u48()
  const flags = reader.u8()
  if (flags > (FLAG.introduction | FLAG.questions)) throw new SottoError('malformed', 'flags')
  const introduction = flags & FLAG.introduction ? Uint8Array.from(reader.bytes(KEY_BYTES)) : null
  const endpoints = Array.from({ length: reader.u8() }, () => readEndpoint(reader))
  reader.zeros()
  const questions = (flags & FLAG.questions) !== 0
  return { status: status === 1 ? 'online' : 'offline', at, introduction, questions, endpoints }
}

function flagsOf(body: RecordBody): number {
  return (body.introduction === null ? 0 : FLAG.introduction) | (body.questions ? FLAG.questions : 0)
}

function fitting(endpoints: readonly Uint8Array[], room: number): readonly Uint8Array[] {
  let used = 0
  return endpoints.filter((endpoint) => (used += endpoint.length) <= room)
}

function u48(value: number): Uint8Array {
  const out = Buffer.allocUnsafe(TIME_BYTES)
  out.writeUIntBE(value, 0, TIME_BYTES)
  return out
}
