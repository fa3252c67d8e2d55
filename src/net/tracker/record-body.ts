import type { Endpoint } from '../../events/vocabulary/facts.js'
import { concat, u32, u8 } from '../../foundation/bytes.js'
import { KEY_BYTES } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import { encodeEndpoint, readEndpoint } from './endpoint.js'

/** What only those who know the place read. */
export interface RecordBody {
  readonly status: 'online' | 'offline'
  readonly at: number
  /** X25519, 32 bytes. */
  readonly introduction: Uint8Array | null
  /** Reserved: verification questions stand in a record of their own. */
  readonly questions: boolean
  /** The device that speaks for the owner; friends records only (SPEC § 2.5). */
  readonly device: RecordDevice | null
  readonly endpoints: readonly Endpoint[]
}

export interface RecordDevice {
  readonly epoch: number
  /** The first 8 bytes of its ID. */
  readonly device: Uint8Array
}

/** Padded to one size, so that a value's length says nothing. */
export const VALUE_PLAINTEXT_BYTES = 92
/** Of the 16 bytes of a device's ID: enough to tell two devices of one person apart. */
export const RECORD_DEVICE_BYTES = 8

const BODY_VERSION = 1
const TIME_BYTES = 6
const FLAG = { introduction: 1, questions: 2, device: 4 } as const
const ALL_FLAGS = FLAG.introduction | FLAG.questions | FLAG.device
const NOTHING = new Uint8Array(0)

/** 92 bytes. Endpoints for which there is no room are left out, the last first. */
export function encodeBody(body: RecordBody): Uint8Array {
  const out = Buffer.alloc(VALUE_PLAINTEXT_BYTES)
  const head = concat(
    ...[u8(BODY_VERSION), u8(body.status === 'online' ? 1 : 0), u48(body.at), u8(flagsOf(body))],
    body.introduction ?? NOTHING,
    body.device === null ? NOTHING : concat(u32(body.device.epoch), body.device.device),
  )
  const endpoints = fitting(body.endpoints.map(encodeEndpoint), VALUE_PLAINTEXT_BYTES - head.length - 1)
  concat(head, u8(endpoints.length), ...endpoints).copy(out)
  return out
}

/** @throws malformed */
export function decodeBody(plain: Uint8Array): RecordBody {
  const reader = new Reader(plain)
  if (reader.u8() !== BODY_VERSION) throw new SottoError('malformed', 'version of a record')
  const status = reader.u8()
  if (status > 1) throw new SottoError('malformed', 'status')
  const at = reader.u48()
  const flags = reader.u8()
  if (flags > ALL_FLAGS) throw new SottoError('malformed', 'flags')
  const introduction = flags & FLAG.introduction ? Uint8Array.from(reader.bytes(KEY_BYTES)) : null
  const device = flags & FLAG.device ? readDevice(reader) : null
  const endpoints = Array.from({ length: reader.u8() }, () => readEndpoint(reader))
  reader.zeros()
  const questions = (flags & FLAG.questions) !== 0
  return { status: status === 1 ? 'online' : 'offline', at, introduction, questions, device, endpoints }
}

function readDevice(reader: Reader): RecordDevice {
  return { epoch: reader.u32(), device: Uint8Array.from(reader.bytes(RECORD_DEVICE_BYTES)) }
}

function flagsOf(body: RecordBody): number {
  const introduction = body.introduction === null ? 0 : FLAG.introduction
  const questions = body.questions ? FLAG.questions : 0
  return introduction | questions | (body.device === null ? 0 : FLAG.device)
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
