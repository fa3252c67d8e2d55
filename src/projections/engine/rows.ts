import type { AbsenceFilter } from './absence-filter.js'
import type { Database, Operation } from './database.js'
import { damaged } from './damage.js'
import { encodeEntry, rowIn } from './entry.js'
import type { Form, Table, Tx } from './fold.js'
import { HeapPages, pageOf } from './heap-pages.js'
import type { Heap, Place, TakenPages } from './heap-pages.js'
import { maskedPlace, unmaskedPlace } from './place.js'
import { pageKey } from './sealing.js'
import type { RowKey, Sealer } from './sealing.js'
import { Unpurged } from './unpurged.js'

/** What clean rows and pages may take up in memory, counted in bytes as sealed; rows in use take about three times that. */
export const CACHE_BYTES = 8 << 20
/** What a resident row costs beside its content, absent ones included. */
const RESIDENT_BYTES = 100
const NOWHERE = -1
const TABLE_PREFIX_BYTES = 3

interface Resident {
  readonly table: Table<unknown>
  readonly name: string
  /** Made when it is first needed: rows that come and go between two flushes never need one. */
  rowKey: RowKey | null
  value: unknown
  /** Differs from what was last given to the store. */
  dirty: boolean
  /** On its way to the store: must not be read back from there yet. */
  writing: boolean
  /** The store may hold a row under this key. */
  stored: boolean
  /** The name of a row of its group, where it is not known which page takes the next one. */
  near: string | null
  /** Where it stands on the pages of a heap table, or NOWHERE. */
  place: Place
  /** The store is known to say so. */
  placed: boolean
  /** Sealed size and what residence costs, in bytes. */
  weight: number
  touched: number
}

/** The rows of one table that are in memory. */
interface Residents {
  readonly rows: Map<string, Resident>
  /** The one found last: most are read several times for a fact, and to be written. */
  last: Resident | null
}

/** Rows that a flush takes to the store. */
export interface Taken {
  /** One by one: none of them has to outlive its being written. */
  readonly operations: Iterable<Operation>
  /** It is in the store now. */
  done(): void
  /** It is not, as far as one can tell: the rows are dirty again. */
  failed(): void
}

/** What a store holds when it is opened; the default is nothing. */
export interface RowsOptions {
  /** How many rows each projection has. */
  readonly counts?: ReadonlyMap<number, number>
  readonly heaps?: ReadonlyMap<number, Heap>
  readonly unpurged?: Unpurged
  /** Of an empty store only: it has to see every row. */
  readonly filter?: AbsenceFilter
  readonly cacheBytes?: number | undefined
}

/**
 * The rows of one store as they are now: what was changed since the last flush, what was read lately, and behind them
 * level. Everything is synchronous, so that a fact is visible as soon as it was applied.
 */
export class Rows implements Tx {
  readonly pages: HeapPages
  readonly unpurged: Unpurged
  readonly #database: Database
  readonly #sealer: Sealer
  readonly #filter: AbsenceFilter | null
  readonly #counts: number[] = []
  /** By projection, then table. */
  readonly #tables: ((Residents | undefined)[] | undefined)[] = []
  /** By projection, like the counts of rows. */
  readonly #changes: number[] = []
  #dirty: Resident[] = []
  readonly #cacheBytes: number
  #bytes = 0
  #evictAbove: number
  #generation = 0

  constructor(database: Database, sealer: Sealer, options: RowsOptions = {}) {
    this.#database = database
    this.#sealer = sealer
    this.#filter = options.filter ?? null
    for (const [projection, rows] of options.counts ?? []) this.#counts[projection] = rows
    this.pages = new HeapPages(database, sealer, options.heaps ?? new Map())
    this.unpurged = options.unpurged ?? new Unpurged()
    this.#cacheBytes = options.cacheBytes ?? CACHE_BYTES
    this.#evictAbove = this.#cacheBytes
  }

  get<Row>(table: Table<Row>, name: string): Row | undefined {
    return this.#find(table, name).value as Row | undefined
  }

  put<Row>(table: Table<Row>, name: string, row: Row): void {
    this.#change(table, name, row)
  }

  delete(table: Table<unknown>, name: string): void {
    this.#change(table, name, undefined)
  }

  /** Grows whenever a row of the projection changes. */
  changes(projection: number): number {
    return this.#changes[projection] ?? 0
  }

  rowsOf(projection: number): number {
    return this.#counts[projection] ?? 0
  }

  /** Seals every changed row as it is asked for; must be followed by `done` or `failed` before anything is changed. */
  take(): Taken {
    const taken = this.#dirty
    this.#dirty = []
    let pages: TakenPages | null = null
    return {
      operations: this.#operations(taken, () => (pages = this.pages.take())),
      done: () => {
        pages?.done()
        for (const row of taken) written(row)
        this.#letGo()
      },
      failed: () => {
        pages?.failed()
        this.unpurged.unwritten()
        for (const row of taken) this.#returned(row)
      },
    }
  }

  /** Every row that the store may not have as it is now: its entry by table ID and name, null where the row is gone. */
  unsettled(projection: number): Map<number, Map<string, Buffer | null>> {
    const out = new Map<number, Map<string, Buffer | null>>()
    for (const residents of this.#tables[projection] ?? []) {
      for (const row of residents?.rows.values() ?? []) {
        if (!row.dirty && !row.writing) continue
        const ofTable = out.get(row.table.id) ?? new Map<string, Buffer | null>()
        ofTable.set(row.name, row.value === undefined ? null : encodeEntry(row.table, row.name, row.value))
        out.set(row.table.id, ofTable)
      }
    }
    return out
  }

  #find(table: Table<unknown>, name: string): Resident {
    const residents = this.#tables[table.projection]?.[table.number] ?? this.#begun(table)
    if (residents.last?.name === name) return residents.last
    let row = residents.rows.get(name)
    if (row === undefined) {
      row = this.#load(table, name)
      residents.rows.set(name, row)
      this.#bytes += row.weight
      this.#evict()
    }
    row.touched = this.#generation
    residents.last = row
    return row
  }

  #begun(table: Table<unknown>): Residents {
    const tables = (this.#tables[table.projection] ??= [])
    return (tables[table.number] = { rows: new Map<string, Resident>(), last: null })
  }

  #load(table: Table<unknown>, name: string): Resident {
    const row = absent(table, name, this.#generation)
    if (this.#filter?.isAbsent(table, name) === true) return row
    const { key, digest } = this.#rowKey(row)
    const found = this.#read(key)
    if (found === undefined) return row
    row.stored = true
    if (table.heap) {
      row.place = unmaskedPlace(digest, found)
      row.placed = true
    }
    const entry = table.heap ? this.pages.entry(table, row.place) : this.#sealer.open(key, found)
    row.value = rowIn(table, entry, name)
    row.weight += entry.length
    return row
  }

  *#operations(rows: readonly Resident[], takePages: () => TakenPages): Generator<Operation> {
    for (const row of rows) {
      const operation = this.#operation(row)
      if (operation !== null) yield operation
    }
    yield* takePages().operations
    yield* this.unpurged.operations(this.#sealer)
  }

  /** Of a heap table it is needed but once, so not kept. */
  #rowKey(row: Resident): RowKey {
    if (row.table.heap) return this.#sealer.rowKey(row.table, row.name)
    return (row.rowKey ??= this.#sealer.rowKey(row.table, row.name))
  }

  #read(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getSync(key)
    } catch (cause) {
      throw damaged('a row cannot be read', cause)
    }
  }

  #change(table: Table<unknown>, name: string, value: unknown): void {
    const row = this.#find(table, name)
    if (table.form !== null && row.value === undefined && value !== undefined)
      row.near = this.#neighbourOf(table, table.form, value)
    this.#count(table.projection, Number(value !== undefined) - Number(row.value !== undefined))
    this.#changes[table.projection] = this.changes(table.projection) + 1
    row.value = value
    if (row.dirty) return
    row.dirty = true
    this.#dirty.push(row)
  }

  /** The present one: when rows are written, later ones of the group may stand in between, that have no place either. */
  #neighbourOf(table: Table<unknown>, form: Form<unknown>, value: unknown): string | null {
    if (this.pages.isFilling(table, form.groupOf(value))) return null
    return form.neighbourOf(this, value) ?? null
  }

  #count(projection: number, by: number): void {
    if (by !== 0) this.#counts[projection] = this.rowsOf(projection) + by
  }

  #operation(row: Resident): Operation | null {
    row.dirty = false
    row.writing = true
    if (row.value === undefined) return this.#removal(row)
    const entry = encodeEntry(row.table, row.name, row.value)
    this.#weigh(row, entry.length)
    if (!row.stored) this.#filter?.add(row.table, row.name)
    row.stored = true
    if (row.table.form !== null) this.#place(row, row.table.form, entry)
    if (row.placed) return null
    const { key, digest } = this.#rowKey(row)
    const value = row.table.heap ? maskedPlace(digest, row.place) : this.#sealer.seal(key, entry)
    return { type: 'put', key, value }
  }

  #removal(row: Resident): Operation | null {
    this.#weigh(row, 0)
    if (!row.stored) return null
    const { key } = this.#rowKey(row)
    row.stored = false
    this.unpurged.add(this.#remains(row, key))
    if (row.place !== NOWHERE) this.pages.remove(row.table, row.place)
    row.place = NOWHERE
    row.placed = false
    return { type: 'del', key }
  }

  /** The keys under which level may keep what the row was: its page, or any of its table, since they are hashes. */
  #remains({ table, place }: Resident, key: Buffer): Buffer {
    return place === NOWHERE ? key.subarray(0, TABLE_PREFIX_BYTES) : pageKey(table, pageOf(place))
  }

  #place(row: Resident, form: Form<unknown>, entry: Buffer): void {
    const near = () => this.#pageNear(row)
    if (row.place === NOWHERE) row.place = this.pages.add(row.table, entry, form.groupOf(row.value), near)
    else this.pages.replace(row.table, row.place, entry)
  }

  #pageNear({ table, near }: Resident): number | null {
    const place = near === null ? NOWHERE : this.#find(table, near).place
    return place === NOWHERE ? null : pageOf(place)
  }

  #returned(row: Resident): void {
    row.writing = false
    row.stored = true
    row.placed = false
    if (row.dirty) return
    row.dirty = true
    this.#dirty.push(row)
  }

  #weigh(row: Resident, length: number): void {
    this.#bytes -= row.weight
    row.weight = length + RESIDENT_BYTES
    this.#bytes += row.weight
  }

  /**
   * After each flush: rows that were looked for and are not there, and those that are on pages, which are kept as bytes and at
   * a third of the cost, but for what was used since the flush before: what comes, is mostly seen soon.
   */
  #letGo(): void {
    this.#drop((row) => row.value === undefined || (row.table.heap && row.touched !== this.#generation))
    this.#generation++
    this.#evict()
  }

  /**
   * Lets go of rows that were not used since the last time. After that, half of the cache may fill before it looks
   * again, so that each look is paid for by as many loads.
   */
  #evict(): void {
    if (this.#bytes + this.pages.bytes <= this.#evictAbove) return
    this.#drop((row) => row.touched !== this.#generation)
    this.pages.evict()
    this.#generation++
    this.#evictAbove = Math.max(this.#cacheBytes, this.#bytes + this.pages.bytes + this.#cacheBytes / 2)
  }

  /** The dirty and the unwritten stay. */
  #drop(may: (row: Resident) => boolean): void {
    for (const residents of this.#tables.flat()) {
      if (residents === undefined) continue
      residents.last = null
      for (const [name, row] of residents.rows) {
        if (row.dirty || row.writing || !may(row)) continue
        this.#bytes -= row.weight
        residents.rows.delete(name)
      }
    }
  }
}

function written(row: Resident): void {
  row.writing = false
  row.placed = row.place !== NOWHERE
}

function absent(table: Table<unknown>, name: string, touched: number): Resident {
  return {
    table,
    name,
    rowKey: null,
    value: undefined,
    dirty: false,
    writing: false,
    stored: false,
    near: null,
    place: NOWHERE,
    placed: false,
    weight: RESIDENT_BYTES,
    touched,
  }
}
