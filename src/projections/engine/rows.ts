import type { Database, Operation } from './database.js'
import { damaged } from './damage.js'
import type { Table, Tx } from './fold.js'
import { packRow } from './sealing.js'
import type { Sealer } from './sealing.js'

/** What clean rows may take up in memory, counted in bytes as sealed; in use they take about three times that. */
const CLEAN_BYTES = 8 << 20
/** What a resident row costs beside its content, absent ones included. */
const RESIDENT_BYTES = 100

interface Resident {
  readonly table: Table<unknown>
  readonly key: string
  readonly rowKey: Buffer
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
  readonly #resident = new Map<number, Map<string, Resident>>()
  readonly #changes = new Map<number, number>()
  #dirty: Resident[] = []
  #bytes = 0
  #evictAbove = CLEAN_BYTES
  #generation = 0

  /** @param counts how many rows each projection has in the store */
  constructor(database: Database, sealer: Sealer, counts: ReadonlyMap<number, number>) {
    this.#database = database
    this.#sealer = sealer
    this.#counts = new Map(counts)
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

  get dirtyRows(): number {
    return this.#dirty.length
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
    for (const rows of this.#resident.values()) {
      for (const row of rows.values()) {
        if (row.table.projection !== projection || !(row.dirty || row.writing)) continue
        out.set(row.rowKey.toString('hex'), row.value === undefined ? null : packRow(row.key, row.value))
      }
    }
    return out
  }

  #find(table: Table<unknown>, key: string): Resident {
    let rows = this.#resident.get(table.id)
    if (rows === undefined) this.#resident.set(table.id, (rows = new Map<string, Resident>()))
    let row = rows.get(key)
    if (row === undefined) {
      row = this.#load(table, key)
      rows.set(key, row)
      this.#bytes += row.weight
      this.#evict()
    }
    row.touched = this.#generation
    return row
  }

  #load(table: Table<unknown>, key: string): Resident {
    const rowKey = this.#sealer.rowKey(table, key)
    const sealed = this.#read(rowKey)
    const value = sealed === undefined ? undefined : this.#sealer.openRow(rowKey, sealed, key)
    const stored = sealed !== undefined
    const weight = (sealed?.length ?? 0) + RESIDENT_BYTES
    return { table, key, rowKey, value, stored, weight, dirty: false, writing: false, touched: 0 }
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
    const { rowKey: key, stored } = row
    row.dirty = false
    row.writing = true
    row.stored = row.value !== undefined
    if (row.value === undefined) {
      this.#weigh(row, 0)
      return stored ? { type: 'del', key } : null
    }
    const value = this.#sealer.seal(key, packRow(row.key, row.value))
    this.#weigh(row, value.length)
    return { type: 'put', key, value }
  }

  #returned(row: Resident): void {
    row.writing = false
    row.stored = true
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
   * Lets go of rows that were not used since the last time; the dirty and the unwritten stay. After that, another
   * CLEAN_BYTES may gather before it looks again, so that each look is paid for by as many loads.
   */
  #evict(): void {
    if (this.#bytes <= this.#evictAbove) return
    for (const rows of this.#resident.values()) {
      for (const [key, row] of rows) {
        if (row.dirty || row.writing || row.touched === this.#generation) continue
        this.#bytes -= row.weight
        rows.delete(key)
      }
    }
    this.#generation++
    this.#evictAbove = Math.max(CLEAN_BYTES, this.#bytes + CLEAN_BYTES / 2)
  }
}
