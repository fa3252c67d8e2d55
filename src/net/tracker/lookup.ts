import type { Endpoint, Presence, UserId } from '../../events/vocabulary/facts.js'
import { toHex } from '../../foundation/bytes.js'
import { addressOf } from '../../keys/user-id.js'
import type { KeyAnswer } from './client.js'
import { NO_SECRET, periodOffset, periodsToAsk } from './period.js'
import {
  type BlindedPlace,
  blindPlace,
  openRecord,
  type RecordBody,
  type TrackerRecord,
  verifyRecord,
} from './record.js'
import type { RecordDevice } from './record-body.js'

/** What a tracker's record told about a person. A public record says nothing of the status. */
export interface Found {
  readonly status: Presence
  /** When the owner wrote it, by the owner's clock. */
  readonly at: number
  readonly endpoints: readonly Endpoint[]
  /** X25519, 32 bytes; public records only. */
  readonly introduction: Uint8Array | null
  /** The device that wrote it; friends records only, null from a version that named none. */
  readonly device: RecordDevice | null
}

/** One key to ask a tracker for; pass it as it is to the client's query with `known` of `askFor`. */
export type LookupKey = BlindedPlace

/** The newest record seen for each key: nothing older is believed again. Keyed by the record key in hex; bounded. */
export type LookupMemory = Map<string, { readonly seq: number; readonly found: Found }>

const MAX_REMEMBERED = 4096
const KNOWN_BITS = 2 ** 32

/**
 * Where to ask for a person: the friends record with its friend secret (32 bytes), the public one with null. Two keys
 * near the change of the period, else one.
 * @throws bad-id
 */
export function lookupKeys(id: UserId, secret: Uint8Array | null, now: number): readonly LookupKey[] {
  const address = addressOf(id)
  const kind = secret === null ? 'public' : 'friends'
  const s = secret ?? NO_SECRET
  const periods = periodsToAsk(now, periodOffset(kind, address, s))
  return periods.map((period) => blindPlace({ kind, address, secret: s, period }))
}

/** The entry of a query: a record we have already is not sent again. */
export function askFor(
  memory: LookupMemory,
  ask: LookupKey,
): { readonly key: Uint8Array; readonly known: number } {
  return { key: ask.key, known: (memory.get(toHex(ask.key))?.seq ?? 0) % KNOWN_BITS }
}

/**
 * What an answer tells, or null: unknown; a signature, period or key that is not this one's; a value that does not open;
 * a record older than one seen before. Remembers the newest in `memory`.
 */
export function readAnswer(memory: LookupMemory, ask: LookupKey, answer: KeyAnswer): Found | null {
  const name = toHex(ask.key)
  const seen = memory.get(name)
  if (answer.kind !== 'record') return answer.kind === 'unchanged' ? (seen?.found ?? null) : null
  const { record } = answer
  if (seen !== undefined && record.seq < seen.seq) return null
  const found = verifiedBody(ask, record)
  if (found !== null) remember(memory, name, { seq: record.seq, found })
  return found
}

/** Of what several keys and trackers told, what was written last. */
export function newest(found: readonly (Found | null)[]): Found | null {
  return found.reduce(
    (best, next) => (best === null || (next !== null && next.at > best.at) ? next : best),
    null,
  )
}

function verifiedBody(ask: LookupKey, record: TrackerRecord): Found | null {
  if (!verifyRecord({ ...record, blinded: ask.blinded, period: ask.period })) return null
  const body = openRecord(ask, record.value)
  return body && foundIn(ask, body)
}

function foundIn({ kind }: LookupKey, { status, at, endpoints, introduction, device }: RecordBody): Found {
  return { status: kind === 'public' ? 'unknown' : status, at, endpoints, introduction, device }
}

function remember(memory: LookupMemory, name: string, row: { seq: number; found: Found }): void {
  memory.delete(name)
  memory.set(name, row)
  const [oldest] = memory.keys()
  if (memory.size > MAX_REMEMBERED && oldest !== undefined) memory.delete(oldest)
}
