import type { FactOf, FactType } from '../../events/vocabulary/facts.js'
import type { PackWriter } from './pack-writer.js'

declare const rowType: unique symbol

/** How the rows of a heap table are written, and which of them lie together. */
export interface Form<Row> {
  /** Writes one msgpack value: without the row's name, and those of its properties, which would be most of a small one. */
  write(row: Row, out: PackWriter): void
  /** The row, as new and exactly; `stored` is what `write` wrote, unpacked, its bytes intact. */
  read(stored: unknown, name: string): Row
  /** Rows of one group are mostly read together. */
  groupOf(row: Row): string
  /** The name of another row of its group, by which the group is found where memory does not tell. */
  neighbourOf(reads: Reads, row: Row): string | undefined
}

/** A named table of one projection; both numbers are part of the row key on disk (SPEC § 5), so never reused. */
export interface Table<Row> {
  readonly projection: number
  readonly number: number
  /** projection · 256 + number */
  readonly id: number
  /** Rows lie together on sealed pages, in the order in which they came. */
  readonly heap: boolean
  readonly form: Form<Row> | null
  readonly [rowType]?: Row
}

export function table<Row>(projection: number, number: number): Table<Row> {
  return { projection, number, id: projection * 256 + number, heap: false, form: null }
}

/**
 * A table of very many small rows. A row is sealed together with some dozens of others: far cheaper to write, and to
 * read together with them. Used like any other.
 */
export function heapTable<Row>(projection: number, number: number, form: Form<Row>): Table<Row> {
  return { ...table<Row>(projection, number), heap: true, form }
}

export interface Reads {
  /** The row as of now; treat it as frozen unless this fold wrote it and puts it again. */
  get<Row>(table: Table<Row>, key: string): Row | undefined
}

/** What a fold may do. Synchronous, so that a fact is either wholly applied or not at all visible. */
export interface Tx extends Reads {
  put<Row>(table: Table<Row>, key: string, row: Row): void
  delete(table: Table<unknown>, key: string): void
}

/** One named transform a fact. No clock (use `fact.at`), no randomness, no I/O. */
export type Handlers<T extends FactType> = { readonly [K in T]: (fact: FactOf<K>, tx: Tx) => void }

/**
 * A projection. It writes its own tables only and may read those of others: folds listed before it (folds.ts) show the
 * state after this fact, folds listed after it the state before.
 */
export interface Fold<T extends FactType> {
  readonly name: string
  readonly number: number
  /** Raise it whenever rows would come out differently; everything is then rebuilt from the log. */
  readonly version: number
  /**
   * The lowest older version whose rows the present view can still read: they are then shown while new ones are made.
   * 0 says that no rows at all can be read too, as before the projection existed. Default: none but its own.
   */
  readonly readsFrom?: number
  readonly on: Handlers<T>
}

export function fold<T extends FactType>(spec: Fold<T>): Fold<T> {
  return spec
}

/** Any projection, for the engine. */
export type AnyFold = Omit<Fold<never>, 'on'> & { readonly on: Partial<Handlers<FactType>> }
