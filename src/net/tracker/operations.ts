import { concat, u16, u32, u64, u8 } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import {
  ANCHOR_BYTES,
  BLINDED_BYTES,
  MAX_VALUE_BYTES,
  type PutRecord,
  SIGNATURE_BYTES,
  type TrackerRecord,
} from './record.js'

/** One key asked for: the first 8 bytes of the record key, and the low 32 bits of the seq the asker has (0 for none). */
export interface KeyQuery {
  readonly prefix: Uint8Array
  readonly known: number
}

export type TrackerRequest =
  | { readonly op: 'put'; readonly record: PutRecord }
  | { readonly op: 'query'; readonly keys: readonly KeyQuery[] }
  | { readonly op: 'ping' }

export type PutReply =
  | { readonly kind: 'stored' }
  /** What the tracker holds is newer (stale), or is another value under the same seq (conflict). */
  | { readonly kind: 'stale' | 'conflict'; readonly record: TrackerRecord }
  | { readonly kind: 'bad-signature' }
  | { readonly kind: 'full' }
  | { readonly kind: 'slow-down'; readonly seconds: number }

export type KeyReply =
  | { readonly kind: 'unknown'; readonly retrySeconds: number }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'record'; readonly record: TrackerRecord }
  /** No room in this datagram. */
  | { readonly kind: 'ask-again' }

export type TrackerReply =
  | { readonly op: 'put'; readonly outcome: PutReply }
  | { readonly op: 'query'; readonly answers: readonly KeyReply[] }
  | { readonly op: 'ping'; readonly now: number }

export const MAX_QUERY_KEYS = 32
export const KEY_PREFIX_BYTES = 8
const OP = { put: 1, query: 2, ping: 4 } as const
const REPLY = 0x80
const PUT_CODES = ['stored', 'stale', 'conflict', 'bad-signature', 'full', 'slow-down'] as const
const KEY_CODES = ['unknown', 'unchanged', 'record', 'ask-again'] as const
const NO_WORK = u64(0)

export function encodeRequest(id: number, request: TrackerRequest): Buffer {
  return concat(u32(id), u8(OP[request.op]), requestBody(request))
}

/** @throws malformed */
export function decodeRequest(bytes: Uint8Array): { readonly id: number; readonly request: TrackerRequest } {
  const reader = new Reader(bytes)
  const id = reader.u32()
  const request = readRequest(reader, reader.u8())
  reader.end()
  return { id, request }
}

export function encodeReply(id: number, reply: TrackerReply): Buffer {
  return concat(u32(id), u8(OP[reply.op] | REPLY), replyBody(reply))
}

/** @throws malformed */
export function decodeReply(bytes: Uint8Array): { readonly id: number; readonly reply: TrackerReply } {
  const reader = new Reader(bytes)
  const id = reader.u32()
  const reply = readReply(reader, reader.u8())
  reader.end()
  return { id, reply }
}

/** How many bytes the answer takes in a reply. */
export function keyReplyBytes(answer: KeyReply): number {
  return keyReply(answer).length
}

function requestBody(request: TrackerRequest): Buffer {
  if (request.op === 'ping') return concat()
  if (request.op === 'put') return concat(writePut(request.record), NO_WORK)
  const keys = request.keys.flatMap(({ prefix, known }) => [prefix, u32(known)])
  return concat(u8(request.keys.length), ...keys)
}

function readRequest(reader: Reader, op: number): TrackerRequest {
  if (op === OP.ping) return { op: 'ping' }
  if (op === OP.put) return { op: 'put', record: readPutWithWork(reader) }
  if (op !== OP.query) throw new SottoError('malformed', 'operation')
  const count = reader.u8()
  if (count > MAX_QUERY_KEYS) throw new SottoError('malformed', 'too many keys')
  const keys = Array.from({ length: count }, () => ({
    prefix: reader.bytes(KEY_PREFIX_BYTES),
    known: reader.u32(),
  }))
  return { op: 'query', keys }
}

function readPutWithWork(reader: Reader): PutRecord {
  const record = readPut(reader)
  reader.bytes(NO_WORK.length)
  return record
}

/** `A_p ‖ period ‖ record`: as it travels, and as the tracker's log keeps it (SPEC § 8.5). */
export function writePut(record: PutRecord): Buffer {
  return concat(record.blinded, u32(record.period), writeRecord(record))
}

/** @throws malformed */
export function readPut(reader: Reader): PutRecord {
  return { blinded: reader.bytes(BLINDED_BYTES), period: reader.u32(), ...readRecord(reader) }
}

function writeRecord({ seq, ttl, anchor, signature, value }: TrackerRecord): Buffer {
  return concat(u64(seq), u16(ttl), anchor, signature, u16(value.length), value)
}

function readRecord(reader: Reader): TrackerRecord {
  return {
    seq: reader.u64(),
    ttl: reader.u16(),
    anchor: reader.bytes(ANCHOR_BYTES),
    signature: reader.bytes(SIGNATURE_BYTES),
    value: reader.lp16(MAX_VALUE_BYTES),
  }
}

function replyBody(reply: TrackerReply): Buffer {
  if (reply.op === 'ping') return concat(u64(reply.now))
  if (reply.op === 'query') return concat(u8(reply.answers.length), ...reply.answers.map(keyReply))
  const { outcome } = reply
  const code = u8(PUT_CODES.indexOf(outcome.kind))
  if (outcome.kind === 'stale' || outcome.kind === 'conflict')
    return concat(code, writeRecord(outcome.record))
  return outcome.kind === 'slow-down' ? concat(code, u16(outcome.seconds)) : concat(code)
}

function keyReply(answer: KeyReply): Buffer {
  const code = u8(KEY_CODES.indexOf(answer.kind))
  if (answer.kind === 'unknown') return concat(code, u16(answer.retrySeconds))
  return answer.kind === 'record' ? concat(code, writeRecord(answer.record)) : concat(code)
}

function readReply(reader: Reader, op: number): TrackerReply {
  if (op === (OP.ping | REPLY)) return { op: 'ping', now: reader.u64() }
  if (op === (OP.put | REPLY)) return { op: 'put', outcome: readPutReply(reader) }
  if (op !== (OP.query | REPLY)) throw new SottoError('malformed', 'operation')
  const count = reader.u8()
  if (count > MAX_QUERY_KEYS) throw new SottoError('malformed', 'too many answers')
  return { op: 'query', answers: Array.from({ length: count }, () => readKeyReply(reader)) }
}

function readPutReply(reader: Reader): PutReply {
  const kind = PUT_CODES[reader.u8()]
  if (kind === undefined) throw new SottoError('malformed', 'outcome')
  if (kind === 'stale' || kind === 'conflict') return { kind, record: readRecord(reader) }
  return kind === 'slow-down' ? { kind, seconds: reader.u16() } : { kind }
}

function readKeyReply(reader: Reader): KeyReply {
  const kind = KEY_CODES[reader.u8()]
  if (kind === undefined) throw new SottoError('malformed', 'answer')
  if (kind === 'unknown') return { kind, retrySeconds: reader.u16() }
  return kind === 'record' ? { kind, record: readRecord(reader) } : { kind }
}
