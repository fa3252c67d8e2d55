import type { Rng } from '../../foundation/rng.js'
import type { Ticket } from '../effects.js'
import type { PutReply } from './operations.js'
import type { PutRecord, TrackerRecord } from './record.js'
import { parseTrackerUrl, type TrackerUrl } from './url.js'

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

/** One tracker as a client sees it. */
export interface TrackerClient {
  readonly url: TrackerUrl
}

/** @throws bad-tracker-url */
export function createTrackerClient(url: string): TrackerClient {
  return { url: parseTrackerUrl(url) }
}

export function stepTrackerClient(
  state: TrackerClient,
  _input: ClientInput,
  _now: number,
  _rng: Rng,
): [TrackerClient, ClientEffect[]] {
  return [state, []]
}
