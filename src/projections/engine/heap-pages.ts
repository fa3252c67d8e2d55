import { damaged } from './damage.js'
import type { Database, Operation } from './database.js'
import type { Table } from './fold.js'
import { pageKey } from './sealing.js'
import type { Sealer } from './sealing.js'

/** A page takes no further row once it holds that many bytes, or that many rows. */
const PAGE_BYTES = 16 << 10
export const PAGE_SLOTS = 64
const LENGTH_BYTES = 4
/** More groups than that are forgotten, and found again. */
const MAX_GROUPS = 4096

/** How far the pages of one table go. Pages count from 0. */
export interface Heap {
  /** The number of the next new page. */
  readonly next: number
  /** Pages that hold a row. */
  readonly pages: number
}

/** Where a row is: page · 64 + slot. It stays there for as long as it exists. */
export type Place = number

/** Pages that a flush takes to the store, as `Taken` rows. */
export interface TakenPages {
  readonly operations: Iterable<Operation>
  done(): void
  failed(): void
}

interface Page {
  readonly table: Table<unknown>
  readonly number: number
  /** One for each slot ever used. */
  readonly entries: (Buffer | null)[]
  bytes: number
  rows: number
  /** Not in the store as it is now. */
  pending: boolean
  touched: boolean
}

/**
 * The pages of the heap tables of one store: `04 ‖ projection ‖ table ‖ u32 page` holds up to 64 entries, sealed as one
 * (SPEC § 5). Pages change only while a flush is put together, and stay in memory until it is through.
 */
export class HeapPages {
  readonly #database: Database
  readonly #sealer: Sealer
  readonly #heaps: Map<number, Heap>
  readonly #resident = new Map<number, Page>()
  /** By table ID and group: the page that its next row goes to. */
  readonly #filled = new Map<number, Map<string, number>>()
  #changed = new Set<Page>()
  #bytes = 0

  /** @param heaps by table ID, as the last checkpoint tells */
  constructor(database: Database, sealer: Sealer, heaps: ReadonlyMap<number, Heap>) {
    this.#database = database
    this.#sealer = sealer
    this.#heaps = new Map(heaps)
  }

  /** Of pages in memory. */
  get bytes(): number {
    return this.#bytes
  }

  heaps(): ReadonlyMap<number, Heap> {
    return new Map(this.#heaps)
  }

  /** @throws projections-damaged when nothing is there */
  entry(table: Table<unknown>, place: Place): Buffer {
    const entry = this.#page(table, pageOf(place)).entries[place % PAGE_SLOTS]
    if (entry === undefined || entry === null) throw damaged('a row is not on its page')
    return entry
  }

  /** Whether it is known which page takes the next row of the group. */
  isFilling({ id }: Table<unknown>, group: string): boolean {
    return this.#filled.get(id)?.has(group) === true
  }

  /**
   * @param group rows of it share pages
   * @param near finds a page of the group, where it is not known which is filled now
   */
  add(table: Table<unknown>, entry: Buffer, group: string, near: () => number | null): Place {
    const filled = this.#filledOf(table)
    const page = this.#pageFor(table, entry.length, filled.get(group) ?? near())
    filled.set(group, page.number)
    page.entries.push(null)
    this.#set(page, page.entries.length - 1, entry)
    return page.number * PAGE_SLOTS + page.entries.length - 1
  }

  replace(table: Table<unknown>, place: Place, entry: Buffer): void {
    this.#set(this.#page(table, pageOf(place)), place % PAGE_SLOTS, entry)
  }

  remove(table: Table<unknown>, place: Place): void {
    this.#set(this.#page(table, pageOf(place)), place % PAGE_SLOTS, null)
  }

  /** Seals every changed page; must be followed by `done` or `failed` before anything is changed. */
  take(): TakenPages {
    const taken = this.#changed
    this.#changed = new Set()
    return {
      operations: this.#operations(taken),
      done: () => {
        for (const page of taken) page.pending = false
      },
      failed: () => {
        for (const page of taken) this.#changed.add(page)
      },
    }
  }

  /** Lets go of pages that were not used since the last time. */
  evict(): void {
    for (const [id, page] of this.#resident) {
      if (page.pending || page.touched) page.touched = false
      else {
        this.#resident.delete(id)
        this.#bytes -= page.bytes
      }
    }
  }

  #filledOf({ id }: Table<unknown>): Map<string, number> {
    let filled = this.#filled.get(id)
    if (filled === undefined || filled.size >= MAX_GROUPS) {
      filled = new Map()
      this.#filled.set(id, filled)
    }
    return filled
  }

  #set(page: Page, slot: number, entry: Buffer | null): void {
    const before = page.entries[slot] ?? null
    const grown = (entry?.length ?? 0) - (before?.length ?? 0)
    const wasEmpty = page.rows === 0
    page.entries[slot] = entry
    page.rows += Number(entry !== null) - Number(before !== null)
    page.bytes += grown
    this.#bytes += grown
    page.pending = true
    this.#changed.add(page)
    if (wasEmpty !== (page.rows === 0)) this.#countPage(page.table, wasEmpty ? 1 : -1)
  }

  #countPage(table: Table<unknown>, by: number): void {
    const { next, pages } = this.#heapOf(table)
    this.#heaps.set(table.id, { next, pages: pages + by })
  }

  #heapOf(table: Table<unknown>): Heap {
    return this.#heaps.get(table.id) ?? { next: 0, pages: 0 }
  }

  /** The near one, or the newest if there is none, while it has room; else a new one. */
  #pageFor(table: Table<unknown>, length: number, near: number | null): Page {
    const { next, pages } = this.#heapOf(table)
    const wanted = near ?? next - 1
    const page = wanted < 0 ? null : this.#found(table, wanted)
    if (page !== null && page.entries.length < PAGE_SLOTS && page.bytes + length <= PAGE_BYTES) return page
    this.#heaps.set(table.id, { next: next + 1, pages })
    return this.#make(table, next)
  }

  #page(table: Table<unknown>, number: number): Page {
    const page = this.#found(table, number)
    if (page === null) throw damaged('a page is missing')
    return page
  }

  #found(table: Table<unknown>, number: number): Page | null {
    const page = this.#resident.get(idOf(table, number)) ?? this.#load(table, number)
    if (page !== null) page.touched = true
    return page
  }

  #load(table: Table<unknown>, number: number): Page | null {
    const key = pageKey(table, number)
    const sealed = this.#read(key)
    return sealed === undefined ? null : this.#make(table, number, decodePage(this.#sealer.open(key, sealed)))
  }

  #read(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getSync(key)
    } catch (cause) {
      throw damaged('a page cannot be read', cause)
    }
  }

  #make(table: Table<unknown>, number: number, entries: (Buffer | null)[] = []): Page {
    const bytes = entries.reduce((sum, entry) => sum + (entry?.length ?? 0), 0)
    const rows = entries.filter((entry) => entry !== null).length
    const page = { table, number, entries, bytes, rows, pending: false, touched: true }
    this.#resident.set(idOf(table, number), page)
    this.#bytes += bytes
    return page
  }

  *#operations(pages: Iterable<Page>): Generator<Operation> {
    for (const page of pages) yield this.#operation(page)
  }

  #operation(page: Page): Operation {
    const key = pageKey(page.table, page.number)
    if (page.rows === 0) return { type: 'del', key }
    return { type: 'put', key, value: this.#sealer.seal(key, encodePage(page.entries)) }
  }
}

export function pageOf(place: Place): number {
  return Math.floor(place / PAGE_SLOTS)
}

/** `u32 length ‖ entry` for each slot; an empty slot has length 0. */
function encodePage(entries: readonly (Buffer | null)[]): Buffer {
  const total = entries.reduce((sum, entry) => sum + LENGTH_BYTES + (entry?.length ?? 0), 0)
  const out = Buffer.allocUnsafe(total)
  let at = 0
  for (const entry of entries) {
    at = out.writeUInt32BE(entry?.length ?? 0, at)
    if (entry !== null) out.set(entry, at)
    at += entry?.length ?? 0
  }
  return out
}

/** @throws projections-damaged when it is no page */
export function decodePage(plain: Buffer): (Buffer | null)[] {
  const entries: (Buffer | null)[] = []
  for (let at = 0; at < plain.length;) {
    if (at + LENGTH_BYTES > plain.length) throw damaged('a page is not one')
    const length = plain.readUInt32BE(at)
    at += LENGTH_BYTES
    if (at + length > plain.length || entries.length === PAGE_SLOTS) throw damaged('a page is not one')
    entries.push(length === 0 ? null : plain.subarray(at, at + length))
    at += length
  }
  return entries
}

function idOf(table: Table<unknown>, page: number): number {
  return table.id * 2 ** 32 + page
}
