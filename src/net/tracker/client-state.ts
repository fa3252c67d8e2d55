import type { Rng } from '../../foundation/rng.js'
import type { Ticket } from '../effects.js'
import type { SessionKeys } from './datagram.js'
import type { PutReply, TrackerRequest } from './operations.js'
import type { PutRecord, TrackerRecord } from './record.js'
import type { TrackerUrl } from './url.js'

/** One key of a query: the 16-byte record key, and what `askFor` of lookup.ts says is known. */
export interface AskedKey {
  readonly key: Uint8Array
  readonly known: number
}

export type ClientInput =
  | { readonly kind: 'put'; readonly ticket: Ticket; readonly record: PutRecord }
  | { readonly kind: 'query'; readonly ticket: Ticket; readonly keys: readonly AskedKey[] }
  | { readonly kind: 'ping'; readonly ticket: Ticket }
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  | { readonly kind: 'wake' }

export type KeyAnswer =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'record'; readonly record: TrackerRecord }

/** `superseded`: a newer put for the same key was asked for before this one was through. */
export type PutOutcome = PutReply | { readonly kind: 'superseded' }

/** Each ticket ends in exactly one of put-done, query-done, ping-done, failed. */
export type ClientEffect =
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  | { readonly kind: 'wake'; readonly at: number }
  | { readonly kind: 'put-done'; readonly ticket: Ticket; readonly outcome: PutOutcome }
  /** In the order of the keys asked for. */
  | { readonly kind: 'query-done'; readonly ticket: Ticket; readonly answers: readonly KeyAnswer[] }
  | { readonly kind: 'ping-done'; readonly ticket: Ticket; readonly latencyMs: number }
  | { readonly kind: 'failed'; readonly ticket: Ticket }

/** A hello on its way. */
export interface Hello {
  readonly e: Uint8Array
  readonly key: Uint8Array
  tries: number
  nextAt: number
}

export interface Session {
  readonly keys: SessionKeys
  readonly renewAt: number
}

/** A put that waits for its turn. */
export interface PutErrand {
  readonly ticket: Ticket
  readonly record: PutRecord
  readonly notBefore: number
  readonly slowDowns: number
}

/** One key of one query. */
export interface Want {
  readonly ticket: Ticket
  readonly index: number
  readonly asked: AskedKey
  readonly rounds: number
}

export type Errand =
  | { readonly op: 'put'; readonly put: PutErrand }
  | { readonly op: 'query'; readonly wants: readonly Want[] }
  | { readonly op: 'ping'; readonly ticket: Ticket }

/** A request on its way. */
export interface Flight {
  readonly id: number
  readonly errand: Errand
  readonly request: TrackerRequest
  tries: number
  renewals: number
  sentAt: number
  nextAt: number
}

/** Answers as they come in, by the place of the key in its query. */
export interface QueryJob {
  readonly answers: (KeyAnswer | null)[]
  missing: number
}

/** One tracker as a client sees it. Bounded by the constants of client.ts. */
export interface TrackerClient {
  readonly url: TrackerUrl
  hello: Hello | null
  session: Session | null
  nextId: number
  puts: PutErrand[]
  wants: Want[]
  pings: Ticket[]
  readonly queries: Map<Ticket, QueryJob>
  readonly flights: Map<number, Flight>
  /** Keys the tracker does not know, and until when it must not be asked again. By key in hex. */
  readonly unknown: Map<string, number>
  /** How often in a row nobody answered, and until when only a ping may try. */
  failures: number
  restUntil: number
  /** The wake that was asked for and has not come yet. */
  wakeAt: number | null
}

/** One step in the making. */
export interface Turn {
  readonly client: TrackerClient
  readonly now: number
  readonly rng: Rng
  readonly out: ClientEffect[]
}
