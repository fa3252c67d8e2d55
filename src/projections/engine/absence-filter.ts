import type { Table } from './fold.js'

const MIN_BITS = 2 ** 16
/** 16 MB: ten bits each for 13 million rows. */
const MAX_BITS = 2 ** 27
const BITS_A_ROW = 10
const PROBES = 4
/** Keys are hashed from their third byte on (SPEC § 5). */
const HASHED_FROM = 3

/**
 * A Bloom filter over the keys of rows that were ever given to a store: most rows are looked for before they are
 * first made, and level takes several microseconds to say that it has none.
 */
export class AbsenceFilter {
  readonly #bits: Uint32Array
  readonly #mask: number
  readonly #tables = new Set<number>()

  /** @param expected how many rows there may be; with more of them it errs more often, and never says "absent" wrongly */
  constructor(expected: number) {
    const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, expected) * BITS_A_ROW))
    const bits = Math.min(MAX_BITS, Math.max(MIN_BITS, wanted))
    this.#bits = new Uint32Array(bits / 32)
    this.#mask = bits - 1
  }

  /** True: no row of the table was ever added, as of those that are never filled or empty between two flushes. */
  isEmpty(table: Table<unknown>): boolean {
    return !this.#tables.has(table.id)
  }

  add(table: Table<unknown>, key: Buffer): void {
    this.#tables.add(table.id)
    const step = stepOf(key)
    for (let n = 0, at = startOf(key); n < PROBES; n++, at += step) {
      const bit = at & this.#mask
      this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
  }

  /** True: it was never added. False says nothing. */
  isAbsent(key: Buffer): boolean {
    const step = stepOf(key)
    for (let n = 0, at = startOf(key); n < PROBES; n++, at += step) {
      const bit = at & this.#mask
      if (((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return true
    }
    return false
  }
}

function startOf(key: Buffer): number {
  return key.readInt32LE(HASHED_FROM)
}

function stepOf(key: Buffer): number {
  return key.readInt32LE(HASHED_FROM + 4) | 1
}
