import { concat, equalBytes, u32, u8, utf8 } from '../foundation/bytes.js'
import { SottoError } from '../foundation/errors.js'
import { Reader } from '../foundation/reader.js'
import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  isSoundPoint,
  signEd25519,
  verifyEd25519,
} from './ed25519.js'

const VERSION = 1
const LABEL = utf8('sotto/device/1')
const TIME_BYTES = 6
const MAX_U32 = 0xffff_ffff
const MAX_U48 = 2 ** 48 - 1

export const DEVICE_ID_BYTES = 16
/** Device epochs count from 1. */
export const FIRST_DEVICE_EPOCH = 1
const BODY_BYTES = 1 + ED25519_KEY_BYTES + 4 + DEVICE_ID_BYTES + TIME_BYTES
/** Body and signature: 123. */
export const DEVICE_STATEMENT_BYTES = BODY_BYTES + ED25519_SIGNATURE_BYTES

/** What an address key says of the one device that speaks for it from an epoch on (SPEC § 2.5). */
export interface DeviceStatement {
  readonly epoch: number
  /** 16 bytes. */
  readonly device: Uint8Array
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface DeviceStatementContent extends DeviceStatement {
  /** Ed25519 seed and public key, 32 bytes each. */
  readonly addressSeed: Uint8Array
  readonly address: Uint8Array
}

/** @returns 123 bytes @throws malformed for an epoch, an ID or a time out of range */
export function deviceStatement({ addressSeed, address, epoch, device, at }: DeviceStatementContent): Buffer {
  const inRange = isEpoch(epoch) && device.length === DEVICE_ID_BYTES && at >= 0 && at <= MAX_U48
  if (!inRange) throw new SottoError('malformed', 'device statement')
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(at, 0, TIME_BYTES)
  const body = concat(u8(VERSION), address, u32(epoch), device, time)
  return concat(body, signEd25519(addressSeed, concat(LABEL, body)))
}

/**
 * Untrusted bytes; what is returned was said by `address` (32 bytes).
 * @returns null for anything that is not a whole statement signed by it
 */
export function readDeviceStatement(bytes: Uint8Array, address: Uint8Array): DeviceStatement | null {
  if (bytes.length !== DEVICE_STATEMENT_BYTES || !isSoundPoint(address)) return null
  const reader = new Reader(Uint8Array.from(bytes))
  const version = reader.u8()
  const owner = reader.bytes(ED25519_KEY_BYTES)
  const statement = { epoch: reader.u32(), device: reader.bytes(DEVICE_ID_BYTES), at: reader.u48() }
  if (version !== VERSION || !equalBytes(owner, address) || !isEpoch(statement.epoch)) return null
  const message = concat(LABEL, bytes.subarray(0, BODY_BYTES))
  return verifyEd25519(address, message, reader.rest()) ? statement : null
}

function isEpoch(epoch: number): boolean {
  return Number.isInteger(epoch) && epoch >= FIRST_DEVICE_EPOCH && epoch <= MAX_U32
}
