import { concat, equalBytes, u16, u32, u64, utf8 } from '../../foundation/bytes.js'
import { KEY_BYTES, NONCE_BYTES, kdf, seal, unseal } from '../../foundation/crypto.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import {
  HEADER_BYTES,
  HEADER_CLEAR_BYTES,
  HEADER_SEALED_BYTES,
  HEADER_USED_BYTES,
  ID_BYTES,
  LINK_BYTES,
} from './format.js'
import { type Keyring, newestKek } from './keyring.js'
import type { SegmentEntry } from './manifest.js'

const MAGIC = utf8('SOTTOSEG')
const VERSION = 1
const FLAGS = 0

/** What seals the frames and anchors of one segment. The key (32 bytes) is random and this segment's alone. */
export interface SegmentKeys {
  readonly logId: Uint8Array
  readonly segmentId: Uint8Array
  readonly key: Uint8Array
  readonly anchorKey: Uint8Array
}

export function drawSegmentKeys(logId: Uint8Array, rng: Rng): SegmentKeys {
  return segmentKeys(logId, rng.bytes(ID_BYTES), rng.bytes(KEY_BYTES))
}

/** Header of SPEC § 4.4, 192 bytes. */
export function encodeHeader(keyring: Keyring, keys: SegmentKeys, entry: SegmentEntry, rng: Rng): Buffer {
  const { generation, kek } = newestKek(keyring)
  const clear = concat(MAGIC, u16(VERSION), u16(FLAGS), keys.logId, keys.segmentId, u32(generation))
  const nonce = rng.bytes(NONCE_BYTES)
  const secret = concat(keys.key, u64(entry.firstSeq), entry.previousLink)
  const used = concat(clear, nonce, seal(kek, nonce, clear, secret))
  return concat(used, Buffer.alloc(HEADER_BYTES - HEADER_USED_BYTES))
}

/** @returns the keys, or null unless this is the very header of the segment that the manifest lists */
export function decodeHeader(header: Buffer, keyring: Keyring, entry: SegmentEntry): SegmentKeys | null {
  if (header.length !== HEADER_BYTES) return null
  const fields = new Reader(header)
  if (!fields.bytes(MAGIC.length).equals(MAGIC) || fields.u16() !== VERSION || fields.u16() !== FLAGS)
    return null
  if (!fields.bytes(ID_BYTES).equals(keyring.logId) || !fields.bytes(ID_BYTES).equals(entry.segmentId))
    return null
  const generation = fields.u32()
  const kek = keyring.keks.find((candidate) => candidate.generation === generation)?.kek
  if (kek === undefined) return null
  const nonce = fields.bytes(NONCE_BYTES)
  const secret = unseal(kek, nonce, header.subarray(0, HEADER_CLEAR_BYTES), fields.bytes(HEADER_SEALED_BYTES))
  if (secret === null || fields.rest().some((byte) => byte !== 0)) return null
  return keysFrom(new Reader(secret), keyring.logId, entry)
}

function keysFrom(secret: Reader, logId: Uint8Array, entry: SegmentEntry): SegmentKeys | null {
  const key = secret.bytes(KEY_BYTES)
  const sameFirst = equalBytes(secret.bytes(8), u64(entry.firstSeq))
  const sameLink = equalBytes(secret.bytes(LINK_BYTES), entry.previousLink)
  return sameFirst && sameLink ? segmentKeys(logId, entry.segmentId, key) : null
}

function segmentKeys(logId: Uint8Array, segmentId: Uint8Array, key: Uint8Array): SegmentKeys {
  return { logId, segmentId, key, anchorKey: kdf(key, 'sotto/anchor-key/1') }
}
