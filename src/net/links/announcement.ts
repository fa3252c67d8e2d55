import * as v from 'valibot'
import { equalBytes } from '../../foundation/bytes.js'
import { DEVICE_STATEMENT_BYTES, readDeviceStatement } from '../../keys/device-statement.js'
import type { DeviceRow } from '../../projections/view.js'
import { sized } from './fields.js'

export const INSTANCE_BYTES = 16
/** Where no device was activated the field holds zeros, so that a handshake's length does not tell. */
const NO_STATEMENT = new Uint8Array(DEVICE_STATEMENT_BYTES)

/** What we say of the machine we speak from. */
export interface Announcement {
  /** The statement of the device (SPEC § 2.5), 123 bytes; null before one was activated. */
  readonly statement: Uint8Array | null
  /** 16 random bytes, drawn anew by each process and kept nowhere. */
  readonly instance: Uint8Array
}

/** What the peer said of its own, verified; null for what it did not say. */
export interface Announced {
  readonly device: DeviceRow | null
  readonly instance: Uint8Array | null
}

/** In the pack of c and d (SPEC § 6.4); version 0.1 says neither. */
export const announcementFields = {
  device: v.optional(sized(DEVICE_STATEMENT_BYTES)),
  instance: v.optional(sized(INSTANCE_BYTES)),
}
interface Fields {
  readonly device?: Uint8Array | undefined
  readonly instance?: Uint8Array | undefined
}

export function fieldsOf({ statement, instance }: Announcement): Required<Fields> {
  return { device: statement ?? NO_STATEMENT, instance }
}

/** @returns null for a statement that `address` (32 bytes) did not make: such a peer gets no link */
export function readAnnouncement(fields: Fields, address: Uint8Array): Announced | null {
  const { device } = fields
  const instance = fields.instance ?? null
  if (device === undefined || equalBytes(device, NO_STATEMENT)) return { device: null, instance }
  const row = deviceOf(device, address)
  return row && { device: row, instance }
}

/** A statement of that address as it is kept, or null. */
export function deviceOf(statement: Uint8Array, address: Uint8Array): DeviceRow | null {
  const read = readDeviceStatement(statement, address)
  return (
    read && { epoch: read.epoch, device: Uint8Array.from(read.device), statement: Uint8Array.from(statement) }
  )
}
