import type { Table } from './fold.js'

const MIN_BITS = 2 ** 16
/** 16 MB: ten bits each for 13 million rows. */
const MAX_BITS = 2 ** 27
const BITS_A_ROW = 10
const PROBES = 4
/** Names end in an ID: this much of it tells them apart. */
const TAIL = 32
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * A Bloom filter over the names of rows that were ever given to a store: most rows are looked for before they are first
 * made, and level takes several microseconds to say that it has none. In memory only, so that a cheap hash does: whoever
 * chose names that collide would make level be asked, no more.
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

  add(table: Table<unknown>, name: string): void {
    this.#tables.add(table.id)
    const start = hashOf(table, name)
    const step = stepFrom(start)
    for (let n = 0, at = start; n < PROBES; n++, at += step) {
      const bit = at & this.#mask
      this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
  }

  /** True: it was never added. False says nothing. */
  isAbsent(table: Table<unknown>, name: string): boolean {
    if (!this.#tables.has(table.id)) return true
    const start = hashOf(table, name)
    const step = stepFrom(start)
    for (let n = 0, at = start; n < PROBES; n++, at += step) {
      const bit = at & this.#mask
      if (((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return true
    }
    return false
  }
}

function hashOf({ id }: Table<unknown>, name: string): number {
  let hash = Math.imul(FNV_OFFSET ^ id, FNV_PRIME) ^ name.length
  for (let at = Math.max(0, name.length - TAIL); at < name.length; at++)
    hash = Math.imul(hash ^ name.charCodeAt(at), FNV_PRIME)
  return mixed(hash)
}

/** Odd, and another one for most names that begin at the same bit. */
function stepFrom(start: number): number {
  return mixed(start ^ FNV_OFFSET) | 1
}

/** As MurmurHash3 ends: every bit depends on every other. */
function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
