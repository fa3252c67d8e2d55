import type { ErasedFact, FactType, StoredFact } from '../../events/vocabulary/facts.js'
import type { Rng } from '../../foundation/rng.js'
import { loadCheckpoint, checkpointOperations } from './checkpoint.js'
import type { Checkpoint } from './checkpoint.js'
import { damaged } from './damage.js'
import type { Database } from './database.js'
import { digest } from './digest.js'
import type { Digest } from './digest.js'
import type { AnyFold, Tx } from './fold.js'
import { Rows } from './rows.js'
import { STORE_ID_BYTES, STORE_ID_KEY, Sealer } from './sealing.js'
import type { ProjectionKeys } from './sealing.js'

type Handler = (fact: StoredFact, tx: Tx) => void

/** What it takes to make a store. */
export interface Making {
  readonly keys: ProjectionKeys
  readonly folds: readonly AnyFold[]
  readonly rng: Rng
  /** For tests: how many bytes of clean rows stay in memory. */
  readonly cacheBytes?: number | undefined
}

const NOTHING: Checkpoint = { batch: 0, seq: 0, link: new Uint8Array(0), rows: new Map() }

/** One level store and the folds that fill it: facts in order on one side, sealed batches on the other. */
export class Store {
  readonly rows: Rows
  readonly #folds: readonly AnyFold[]
  readonly #handlers = new Map<FactType, readonly Handler[]>()
  readonly #database: Database
  readonly #sealer: Sealer
  #checkpoint: Checkpoint
  #seq: number
  /** Null in the middle of a commit group, where no checkpoint can be taken. */
  #link: Uint8Array | null
  #writing: Promise<void> = Promise.resolve()
  /** False once a fact was applied in part. */
  #whole = true
  #closed = false

  private constructor(
    database: Database,
    sealer: Sealer,
    { folds, cacheBytes }: Making,
    checkpoint: Checkpoint,
  ) {
    this.#database = database
    this.#sealer = sealer
    this.#folds = folds
    this.#checkpoint = checkpoint
    this.#seq = checkpoint.seq
    this.#link = checkpoint.link
    this.rows = new Rows(database, sealer, checkpoint.rows, cacheBytes)
  }

  /** An empty store under a new random store ID. */
  static async fresh(database: Database, making: Making): Promise<Store> {
    const storeId = making.rng.bytes(STORE_ID_BYTES)
    await database.batch([{ type: 'put', key: STORE_ID_KEY, value: storeId }])
    return new Store(database, new Sealer(making.keys, storeId, making.rng), making, NOTHING)
  }

  /** @throws projections-damaged when the store contradicts itself or was made by other versions of the folds */
  static async load(database: Database, making: Making): Promise<Store> {
    const storeId = database.getSync(STORE_ID_KEY)
    if (storeId?.length !== STORE_ID_BYTES) throw damaged('there is no store id')
    const sealer = new Sealer(making.keys, storeId, making.rng)
    return new Store(database, sealer, making, await loadCheckpoint(database, sealer, making.folds))
  }

  get seq(): number {
    return this.#seq
  }
  get checkpoint(): Checkpoint {
    return this.#checkpoint
  }
  /** Facts that the last checkpoint does not cover. */
  get unflushed(): number {
    return this.#seq - this.#checkpoint.seq
  }

  /**
   * Applies the next fact to every projection. After an error in a fold the store may be half applied: it writes no more.
   * @param link the log's link after this fact if it ends a commit group, else null
   * @throws projections-damaged when rows are missing or do not open
   */
  apply(fact: StoredFact | ErasedFact, link: Uint8Array | null): void {
    if (fact.seq !== this.#seq + 1) throw damaged(`fact ${fact.seq} does not follow ${this.#seq}`)
    this.#whole = false
    if (fact.type !== 'Erased') for (const handler of this.#handlersOf(fact.type)) handler(fact, this.rows)
    this.#whole = true
    this.#seq = fact.seq
    this.#link = link
  }

  /** Writes all changes, checkpoints and a mark in one batch, after the batch before it. In mid-group it waits. */
  flush(): Promise<void> {
    const written = this.#writing.then(() => this.#write())
    this.#writing = written.catch(() => undefined)
    return written
  }

  digests(): Promise<Digest[]> {
    return Promise.all(this.#folds.map((fold) => digest(fold, this.#database, this.#sealer, this.rows)))
  }

  /** Without flushing. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#writing
    await this.#database.close()
  }

  async #write(): Promise<void> {
    if (this.#closed || !this.#whole || this.#link === null) return
    if (this.unflushed === 0 && this.#checkpoint.batch > 0) return
    const rows = new Map(this.#folds.map(({ number }) => [number, this.rows.rowsOf(number)]))
    const checkpoint = { batch: this.#checkpoint.batch + 1, seq: this.#seq, link: this.#link, rows }
    const taken = this.rows.take()
    try {
      const marks = checkpointOperations(this.#sealer, this.#folds, checkpoint)
      await this.#database.batch([...taken.operations, ...marks])
    } catch (error) {
      taken.failed()
      throw error
    }
    taken.done()
    this.#checkpoint = checkpoint
  }

  #handlersOf(type: FactType): readonly Handler[] {
    let handlers = this.#handlers.get(type)
    if (handlers === undefined) {
      handlers = this.#folds.flatMap((fold) => (fold.on[type] as Handler | undefined) ?? [])
      this.#handlers.set(type, handlers)
    }
    return handlers
  }
}
