import { equalBytes, toHex } from '../src/foundation/bytes.js'
import { Reader } from '../src/foundation/reader.js'
import { recordKey } from '../src/net/tracker/blinding.js'
import { KEY_PREFIX_BYTES, readPut, writePut } from '../src/net/tracker/operations.js'
import type { PutRecord } from '../src/net/tracker/record.js'

/** How a record stands to what is kept already. The newest seq wins; of one seq, what came first. */
export type Standing = 'new' | 'newer' | 'same' | 'stale' | 'conflict' | 'collision'

/** A record with the tracker's time of its acceptance: what the log keeps. */
export interface AcceptedRecord {
  readonly record: PutRecord
  readonly at: number
}

interface Row {
  /** `A_p ‖ period ‖ record` in one piece of its own: rows parsed out of datagrams would hold on to the datagrams. */
  readonly packed: Uint8Array
  readonly at: number
  readonly expiresAt: number
}

/** No record is of use beyond its period and an hour; a longer ttl is cut to this. */
export const MAX_TTL_MINUTES = 48 * 60
const MINUTE_MS = 60_000
const SWEEP_STEPS = 64

/** The state of a tracker: the newest record of each key, a pure function of the accepted records in the log's order. */
export class RecordTable {
  readonly #rows = new Map<string, Row>()
  #sweeper: Iterator<[string, Row]> = this.#rows.entries()
  /** Between `holds` and `release`: of each key the first row that went. */
  #gone: Map<string, Row> | null = null

  get size(): number {
    return this.#rows.size
  }

  /** By the first 8 bytes of the record key; undefined once expired. */
  get(prefix: Uint8Array, now: number): PutRecord | undefined {
    const row = this.#alive(toHex(prefix), now)
    return row && unpack(row)
  }

  standing(record: PutRecord, now: number): Standing {
    const held = this.get(prefixOf(record), now)
    if (held === undefined) return 'new'
    if (!equalBytes(held.blinded, record.blinded)) return 'collision'
    if (record.seq > held.seq) return 'newer'
    if (record.seq < held.seq) return 'stale'
    return isSame(held, record) ? 'same' : 'conflict'
  }

  /** Takes an accepted record in; it counts when it is new or newer at its own time. Also the replay of the log. */
  apply({ record, at }: AcceptedRecord): Standing {
    const standing = this.standing(record, at)
    if (standing !== 'new' && standing !== 'newer') return standing
    const expiresAt = at + Math.min(record.ttl, MAX_TTL_MINUTES) * MINUTE_MS
    const name = toHex(prefixOf(record))
    this.#goes(name)
    this.#rows.set(name, { packed: Uint8Array.from(writePut(record)), at, expiresAt })
    return standing
  }

  /** Looks at a few rows and drops the expired: bounded work, called often, gets round to all. */
  sweep(now: number, steps = SWEEP_STEPS): void {
    for (let i = 0; i < steps; i++) {
      const next = this.#sweeper.next()
      if (next.done === true) {
        this.#sweeper = this.#rows.entries()
        return
      }
      const [name, row] = next.value
      if (row.expiresAt > now) continue
      this.#goes(name)
      this.#rows.delete(name)
    }
  }

  /** What is worth keeping at `now`. */
  *live(now: number): Generator<AcceptedRecord> {
    for (const row of this.#rows.values()) {
      if (row.expiresAt > now) yield { record: unpack(row), at: row.at }
    }
  }

  /**
   * Whether an accepted record counts at `now`: by the table as it is at this call, however much later it is asked.
   * One at a time, until `release`.
   */
  holds(now: number): (accepted: AcceptedRecord) => boolean {
    const gone = new Map<string, Row>()
    this.#gone = gone
    return ({ record, at }) => {
      const name = toHex(prefixOf(record))
      const row = gone.get(name) ?? this.#rows.get(name)
      return row?.at === at && row.expiresAt > now && equalBytes(row.packed, writePut(record))
    }
  }

  release(): void {
    this.#gone = null
  }

  #goes(name: string): void {
    const row = this.#rows.get(name)
    if (row !== undefined && this.#gone?.has(name) === false) this.#gone.set(name, row)
  }

  #alive(name: string, now: number): Row | undefined {
    const row = this.#rows.get(name)
    return row === undefined || row.expiresAt <= now ? undefined : row
  }
}

function prefixOf({ blinded }: PutRecord): Uint8Array {
  return recordKey(blinded).subarray(0, KEY_PREFIX_BYTES)
}

function unpack({ packed }: Row): PutRecord {
  return readPut(new Reader(packed))
}

/** Equal in all that is signed; a signature made twice over the same differs, and does not matter. */
function isSame(a: PutRecord, b: PutRecord): boolean {
  const plain = a.period === b.period && a.ttl === b.ttl
  return plain && equalBytes(a.anchor, b.anchor) && equalBytes(a.value, b.value)
}
