import type { Database, Operation } from './database.js'
import { damaged } from './damage.js'
import type { Table, Tx } from './fold.js'
import { packRow } from './sealing.js'
import type { Sealer } from './sealing.js'

/** What clean rows may take up in memory, counted in bytes as sealed; in use they take about three times that. */
export const CACHE_BYTES = 8 << 20
/** What a resident row costs beside its content, absent ones included. */
const RESIDENT_BYTES = 100

interface Resident {
  readonly table: Table<unknown>
  readonly key: string
  /** Made when it is first needed: rows that come and go between two flushes never need one. */
  rowKey: Buffer | null
  value: unknown
  /** Differs from what was last given to the store. */
  dirty: boolean
  /** On its way to the store: must not be read back from there yet. */
  writing: boolean
  /** The store may hold a row under this key. */
  stored: boolean
  /** Sealed size and what residence costs, in bytes. */
  weight: number
  touched: number
}

/** Rows that a flush takes to the store. */
export interface Taken {
  readonly operations: Operation[]
  /** It is in the store now. */
  done(): void
  /** It is not, as far as one can tell: the rows are dirty again. */
  failed(): void
}

/**
 * The rows of one store as they are now: what was changed since the last flush, what was read lately, and behind them
 * level. Everything is synchronous, so that a fact is visible as soon as it was applied.
 */
export class Rows implements Tx {
  readonly #database: Database
  readonly #sealer: Sealer
  readonly #counts: Map<number, number>
  /** By projection, then table. */
  readonly #resident: ((Map<string, Resident> | undefined)[] | undefined)[] = []
  /** How many rows of a table the store may hold, by table ID; not known of a store that was filled by others. */
  readonly #stored: Map<number, number> | null
  readonly #changes = new Map<number, number>()
  #dirty: Resident[] = []
  readonly #cacheBytes: number
  /** The row found last: most are read to be written. */
  #last: Resident | null = null
  #bytes = 0
  #evictAbove: number
  #generation = 0

  /** @param counts how many rows each projection has in the store; empty for an empty store */
  constructor(
    database: Database,
    sealer: Sealer,
    counts: ReadonlyMap<number, number>,
    cacheBytes = CACHE_BYTES,
  ) {
    this.#database = database
    this.#sealer = sealer
    this.#counts = new Map(counts)
    this.#stored = counts.size === 0 ? new Map<number, number>() : null
    this.#cacheBytes = cacheBytes
    this.#evictAbove = cacheBytes
  }

  get<Row>(table: Table<Row>, key: string): Row | undefined {
    return this.#find(table, key).value as Row | undefined
  }

  put<Row>(table: Table<Row>, key: string, row: Row): void {
    this.#change(table, key, row)
  }

  delete(table: Table<unknown>, key: string): void {
    this.#change(table, key, undefined)
  }

  /** Grows whenever a row of the projection changes. */
  changes(projection: number): number {
    return this.#changes.get(projection) ?? 0
  }

  rowsOf(projection: number): number {
    return this.#counts.get(projection) ?? 0
  }

  /** Seals every changed row; must be followed by `done` or `failed` before the next call. */
  take(): Taken {
    const taken = this.#dirty
    this.#dirty = []
    const operations = taken.flatMap((row) => this.#operation(row) ?? [])
    return {
      operations,
      done: () => {
        for (const row of taken) row.writing = false
        this.#evict()
      },
      failed: () => {
        for (const row of taken) this.#returned(row)
      },
    }
  }

  /** Every row that the store may not have as it is now, packed, by row key; null where the row is gone. */
  unsettled(projection: number): Map<string, Uint8Array | null> {
    const out = new Map<string, Uint8Array | null>()
    for (const rows of this.#resident[projection] ?? []) {
      for (const row of rows?.values() ?? []) {
        if (!row.dirty && !row.writing) continue
        const packed = row.value === undefined ? null : packRow(row.key, row.value)
        out.set(this.#rowKey(row).toString('hex'), packed)
      }
    }
    return out
  }

  #find(table: Table<unknown>, key: string): Resident {
    const last = this.#last
    if (last?.key === key && last.table === table) return last
    const rows = this.#residentOf(table)
    let row = rows.get(key)
    if (row === undefined) {
      row = this.#load(table, key)
      rows.set(key, row)
      this.#bytes += row.weight
      this.#evict()
    }
    row.touched = this.#generation
    this.#last = row
    return row
  }

  #residentOf(table: Table<unknown>): Map<string, Resident> {
    const tables = (this.#resident[table.projection] ??= [])
    return (tables[table.number] ??= new Map<string, Resident>())
  }

  #load(table: Table<unknown>, key: string): Resident {
    const row = absent(table, key, this.#generation)
    if (this.#stored !== null && !this.#stored.has(table.id)) return row
    const rowKey = this.#rowKey(row)
    const sealed = this.#read(rowKey)
    if (sealed === undefined) return row
    row.value = this.#sealer.openRow(rowKey, sealed, key)
    row.stored = true
    row.weight += sealed.length
    return row
  }

  #rowKey(row: Resident): Buffer {
    return (row.rowKey ??= this.#sealer.rowKey(row.table, row.key))
  }

  /** Counts up or down when the store comes to hold a row, or to hold it no more. */
  #setStored(row: Resident, stored: boolean): void {
    if (row.stored === stored) return
    row.stored = stored
    const { id } = row.table
    const now = (this.#stored?.get(id) ?? 0) + (stored ? 1 : -1)
    if (now === 0) this.#stored?.delete(id)
    else this.#stored?.set(id, now)
  }

  #read(rowKey: Buffer): Buffer | undefined {
    try {
      return this.#database.getSync(rowKey)
    } catch (cause) {
      throw damaged('a row cannot be read', cause)
    }
  }

  #change(table: Table<unknown>, key: string, value: unknown): void {
    const row = this.#find(table, key)
    this.#count(table.projection, Number(value !== undefined) - Number(row.value !== undefined))
    this.#changes.set(table.projection, this.changes(table.projection) + 1)
    row.value = value
    if (row.dirty) return
    row.dirty = true
    this.#dirty.push(row)
  }

  #count(projection: number, by: number): void {
    if (by !== 0) this.#counts.set(projection, this.rowsOf(projection) + by)
  }

  #operation(row: Resident): Operation | null {
    const wasStored = row.stored
    row.dirty = false
    row.writing = true
    this.#setStored(row, row.value !== undefined)
    if (row.value === undefined) {
      this.#weigh(row, 0)
      return wasStored ? { type: 'del', key: this.#rowKey(row) } : null
    }
    const key = this.#rowKey(row)
    const value = this.#sealer.seal(key, packRow(row.key, row.value))
    this.#weigh(row, value.length)
    return { type: 'put', key, value }
  }

  #returned(row: Resident): void {
    row.writing = false
    this.#setStored(row, true)
    if (row.dirty) return
    row.dirty = true
    this.#dirty.push(row)
  }

  #weigh(row: Resident, sealedLength: number): void {
    this.#bytes -= row.weight
    row.weight = sealedLength + RESIDENT_BYTES
    this.#bytes += row.weight
  }

  /**
   * Lets go of rows that were not used since the last time; the dirty and the unwritten stay. After that,
   * half of the cache may fill before it looks again, so that each look is paid for by as many loads.
   */
  #evict(): void {
    if (this.#bytes <= this.#evictAbove) return
    for (const rows of this.#resident.flat()) {
      for (const [key, row] of rows ?? []) {
        if (row.dirty || row.writing || row.touched === this.#generation) continue
        this.#bytes -= row.weight
        rows?.delete(key)
      }
    }
    this.#generation++
    this.#last = null
    this.#evictAbove = Math.max(this.#cacheBytes, this.#bytes + this.#cacheBytes / 2)
  }
}

function absent(table: Table<unknown>, key: string, touched: number): Resident {
  return {
    table,
    key,
    rowKey: null,
    value: undefined,
    dirty: false,
    writing: false,
    stored: false,
    weight: RESIDENT_BYTES,
    touched,
  }
}
