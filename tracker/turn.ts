import type { Rng } from '../src/foundation/rng.js'
import { sealReply, type SessionKeys } from '../src/net/tracker/datagram.js'
import type { TrackerReply } from '../src/net/tracker/operations.js'
import type { PutRecord } from '../src/net/tracker/record.js'
import type { Admission, Charge } from './admission.js'
import type { TrackerLimits } from './limits.js'
import type { AcceptedRecord, RecordTable } from './record-table.js'
import type { Epochs, Peer } from './sessions.js'
import type { TokenTable } from './token-table.js'

export type TrackerInput =
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array; readonly from: Peer }
  /** The processor has time for signatures. */
  | { readonly kind: 'verify' }
  /** The records of that `append` are durable. */
  | { readonly kind: 'stored'; readonly batch: number }
  /** So many records were left out of the log. */
  | { readonly kind: 'compacted'; readonly leftOut: number }

export type TrackerEffect =
  | { readonly kind: 'reply'; readonly to: Peer; readonly bytes: Uint8Array }
  /** Come back with `verify` after everything that waits on the socket. */
  | { readonly kind: 'verify' }
  /** Append in one group, then come back with `stored`. */
  | { readonly kind: 'append'; readonly batch: number; readonly records: readonly AcceptedRecord[] }
  /** Leave what is not live out of the log as it is now, beside appends, then come back with `compacted`. */
  | { readonly kind: 'compact'; readonly live: (accepted: AcceptedRecord) => boolean }

/** All that a tracker knows. Its size is bounded by `limits`, whatever arrives. */
export interface TrackerState {
  readonly secret: Uint8Array
  readonly public: Uint8Array
  readonly limits: TrackerLimits
  readonly table: RecordTable
  readonly admission: Admission
  readonly hellos: TokenTable
  epochs: Epochs
  /** Puts whose signature is still to be checked, oldest first. */
  queue: PendingPut[]
  /** Puts that are being made durable, by batch. */
  readonly batches: Map<number, readonly PendingPut[]>
  nextBatch: number
  /** Records in the log, live or not. */
  logged: number
  compacting: boolean
}

/** One step in the making. */
export interface Turn {
  readonly state: TrackerState
  readonly now: number
  readonly rng: Rng
  readonly out: TrackerEffect[]
}

/** Who sent an authenticated request, and how to answer. */
export interface Asker {
  readonly from: Peer
  readonly keys: SessionKeys
  readonly id: number
}

/** A put on its way from the socket to the disk. */
export interface PendingPut {
  readonly asker: Asker
  readonly record: PutRecord
  /** When its signature was found good; 0 before. */
  readonly at: number
}

export function reply({ rng, out }: Turn, asker: Asker, answer: TrackerReply): void {
  out.push({ kind: 'reply', to: asker.from, bytes: sealReply(asker.keys, asker.id, answer, rng) })
}

export function admits({ state, now, rng }: Turn, charge: Charge, from: Peer): boolean {
  return state.admission.admit(charge, from.address, 1, now, rng)
}
