import { concat, u32, u64, u8 } from '../../foundation/bytes.js'
import { kdf, KEY_BYTES, NONCE_BYTES, seal, TAG_BYTES, unseal, x25519 } from '../../foundation/crypto.js'
import { isSottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type TrackerReply,
  type TrackerRequest,
} from './operations.js'

/** What a hello is answered with (SPEC § 8.4). */
export interface Welcome {
  /** 8 bytes. */
  readonly session: Uint8Array
  /** 32 bytes; derived by the tracker from the asker's address, stored nowhere there. */
  readonly sessionKey: Uint8Array
  /** How long the session is served. */
  readonly seconds: number
  /** The tracker's clock. */
  readonly now: number
  /** Reserved: work asked for when the tracker is under load. */
  readonly workBits: number
}

/** A session's two directions. */
export interface SessionKeys {
  readonly session: Uint8Array
  readonly toServer: Uint8Array
  readonly toClient: Uint8Array
}

export const MAX_DATAGRAM_BYTES = 1232
export const HELLO_BYTES = 96
export const SESSION_BYTES = 8
export const TYPE = { hello: 1, welcome: 2, request: 3, reply: 4, again: 5 } as const
const VERSION = 1
const REQUEST_HEAD_BYTES = 1 + SESSION_BYTES + NONCE_BYTES
const REPLY_HEAD_BYTES = 1 + NONCE_BYTES
const MIN_OPERATION_BYTES = 5
/** What is left for the body of a reply: without the head, the tag, the id and the op. */
export const REPLY_ROOM = MAX_DATAGRAM_BYTES - REPLY_HEAD_BYTES - TAG_BYTES - MIN_OPERATION_BYTES

/** `e` is the asker's ephemeral X25519 public key; padded so that the answer is never longer than the question. */
export function encodeHello(e: Uint8Array): Buffer {
  const out = Buffer.alloc(HELLO_BYTES)
  concat(u8(TYPE.hello), u8(VERSION), e).copy(out)
  return out
}

/** The asker's ephemeral key, or null. */
export function decodeHello(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length !== HELLO_BYTES || bytes[0] !== TYPE.hello || bytes[1] !== VERSION) return null
  const key = bytes.subarray(2, 2 + KEY_BYTES)
  return bytes.subarray(2 + KEY_BYTES).some((byte) => byte !== 0) ? null : key
}

/** Known to both ends of a hello: `secret` of one, `peer` of the other. @throws malformed for a small-order peer */
export function helloKey(secret: Uint8Array, peer: Uint8Array, e: Uint8Array, tracker: Uint8Array): Buffer {
  return kdf(x25519(secret, peer), 'sotto/tracker-hello/1', concat(e, tracker))
}

export function sealWelcome(key: Uint8Array, e: Uint8Array, welcome: Welcome, rng: Rng): Buffer {
  const { session, sessionKey, seconds, now, workBits } = welcome
  const nonce = rng.bytes(NONCE_BYTES)
  const plain = concat(session, sessionKey, u32(seconds), u64(now), u8(workBits))
  return concat(u8(TYPE.welcome), nonce, seal(key, nonce, e, plain))
}

/** @returns null for anything the pinned tracker did not make for this hello */
export function openWelcome(key: Uint8Array, e: Uint8Array, bytes: Uint8Array): Welcome | null {
  const plain = openAfter(bytes, TYPE.welcome, 1, key, () => e)
  return plain && parsed(() => readWelcome(new Reader(plain)))
}

export function sessionKeys(session: Uint8Array, sessionKey: Uint8Array): SessionKeys {
  const both = kdf(sessionKey, 'sotto/tracker-keys/1', new Uint8Array(0), 2 * KEY_BYTES)
  return {
    session: Uint8Array.from(session),
    toServer: both.subarray(0, KEY_BYTES),
    toClient: both.subarray(KEY_BYTES),
  }
}

/** The session a request claims, 8 bytes; null when the datagram cannot be a request. */
export function sessionOf(bytes: Uint8Array): Uint8Array | null {
  const least = REQUEST_HEAD_BYTES + MIN_OPERATION_BYTES + TAG_BYTES
  if (bytes[0] !== TYPE.request || bytes.length < least || bytes.length > MAX_DATAGRAM_BYTES) return null
  return bytes.subarray(1, 1 + SESSION_BYTES)
}

export function sealRequest(keys: SessionKeys, id: number, request: TrackerRequest, rng: Rng): Buffer {
  const nonce = rng.bytes(NONCE_BYTES)
  const head = concat(u8(TYPE.request), keys.session, nonce)
  return concat(head, seal(keys.toServer, nonce, head, encodeRequest(id, request)))
}

/** The plaintext of a request: what `parseRequest` reads. Null when it was not made under these keys. */
export function openRequest(keys: SessionKeys, bytes: Uint8Array): Buffer | null {
  return openAfter(bytes, TYPE.request, 1 + SESSION_BYTES, keys.toServer, (head) => head)
}

export function parseRequest(
  plain: Uint8Array,
): { readonly id: number; readonly request: TrackerRequest } | null {
  return parsed(() => decodeRequest(plain))
}

export function sealReply(keys: SessionKeys, id: number, reply: TrackerReply, rng: Rng): Buffer {
  const nonce = rng.bytes(NONCE_BYTES)
  return concat(u8(TYPE.reply), nonce, seal(keys.toClient, nonce, keys.session, encodeReply(id, reply)))
}

/** @returns null for anything the tracker did not make under these keys */
export function openReply(
  keys: SessionKeys,
  bytes: Uint8Array,
): { readonly id: number; readonly reply: TrackerReply } | null {
  const plain = openAfter(bytes, TYPE.reply, 1, keys.toClient, () => keys.session)
  return plain && parsed(() => decodeReply(plain))
}

/** The session is unknown or expired: 9 bytes, less than any request. */
export function encodeAgain(session: Uint8Array): Buffer {
  return concat(u8(TYPE.again), session)
}

/** The session that must be renewed, or null. Nothing authenticates it; it costs at most a new hello. */
export function decodeAgain(bytes: Uint8Array): Uint8Array | null {
  return bytes.length === 1 + SESSION_BYTES && bytes[0] === TYPE.again ? bytes.subarray(1) : null
}

/** Opens `type … nonce ‖ SEAL(…)` where the nonce begins at `at`; `aadOf` gets everything up to the sealed part. */
function openAfter(
  bytes: Uint8Array,
  type: number,
  at: number,
  key: Uint8Array,
  aadOf: (head: Uint8Array) => Uint8Array,
): Buffer | null {
  const end = at + NONCE_BYTES
  if (bytes[0] !== type || bytes.length < end + TAG_BYTES || bytes.length > MAX_DATAGRAM_BYTES) return null
  return unseal(key, bytes.subarray(at, end), aadOf(bytes.subarray(0, end)), bytes.subarray(end))
}

function readWelcome(reader: Reader): Welcome {
  const welcome = {
    session: reader.bytes(SESSION_BYTES),
    sessionKey: reader.bytes(KEY_BYTES),
    seconds: reader.u32(),
    now: reader.u64(),
    workBits: reader.u8(),
  }
  reader.end()
  return welcome
}

function parsed<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}
