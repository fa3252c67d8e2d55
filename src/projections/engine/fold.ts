import type { FactOf, FactType } from '../../events/vocabulary/facts.js'

declare const rowType: unique symbol

/** How rows of a table are kept where their names and property names would be most of them. Both ways are exact. */
export interface Form<Row> {
  /** What is packed instead of the row. */
  write(row: Row): unknown
  /** The row, as new; `stored` is what `write` gave, its bytes intact. */
  read(stored: unknown, name: string): Row
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
  /** @param near of a heap table: the key of a row that it is mostly read together with; a new row goes to its page if it can */
  put<Row>(table: Table<Row>, key: string, row: Row, near?: string): void
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
