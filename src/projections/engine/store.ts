import type { ErasedFact, FactType, StoredFact } from '../../events/vocabulary/facts.js'
import { concat, u8 } from '../../foundation/bytes.js'
import type { Rng } from '../../foundation/rng.js'
import { AbsenceFilter } from './absence-filter.js'
import { loadCheckpoint, checkpointOperations } from './checkpoint.js'
import type { Checkpoint } from './checkpoint.js'
import { damaged } from './damage.js'
import type { Database, Operation } from './database.js'
import { digest } from './digest.js'
import type { Digest } from './digest.js'
import type { AnyFold, Tx } from './fold.js'
import { Rows } from './rows.js'
import type { Taken } from './rows.js'
import { ROW_PREFIX, STORE_ID_BYTES, STORE_KEY, Sealer, UNPURGED_KEY } from './sealing.js'
import type { ProjectionKeys } from './sealing.js'
import { Unpurged } from './unpurged.js'

type Handler = (fact: StoredFact, tx: Tx) => void

/** What it takes to make a store. */
export interface Making {
  readonly keys: ProjectionKeys
  readonly folds: readonly AnyFold[]
  readonly rng: Rng
  /** For tests: how many bytes of clean rows stay in memory. */
  readonly cacheBytes?: number | undefined
}

/** Stores of another layout than this are made anew (SPEC § 5). */
const LAYOUT = 4
/** Projections no larger on disk than this are purged as a whole, rows that were only changed among them. */
const SMALL = 16 << 20

const NOTHING: Checkpoint = {
  batch: 0,
  seq: 0,
  link: new Uint8Array(0),
  rows: new Map(),
  heaps: new Map(),
  snapshot: 0,
}

/** One level store and the folds that fill it: facts in order on one side, sealed batches on the other. */
export class Store {
  readonly rows: Rows
  /** Made by older folds: it can be read, and takes no facts. */
  readonly outdated: boolean
  readonly #making: Making
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
  /** Damage was met while a batch was put together: nothing of it, and nothing more, is written. */
  #broken = false
  #closed = false

  private constructor(making: Making, parts: Parts) {
    this.#making = making
    this.#database = parts.database
    this.#sealer = parts.sealer
    this.#checkpoint = parts.checkpoint
    this.#seq = parts.checkpoint.seq
    this.#link = parts.checkpoint.link
    this.rows = parts.rows
    this.outdated = parts.outdated
  }

  /** An empty store under a new random store ID, for about so many facts. */
  static async fresh(database: Database, making: Making, expected: number): Promise<Store> {
    const storeId = making.rng.bytes(STORE_ID_BYTES)
    await database.batch([{ type: 'put', key: STORE_KEY, value: concat(u8(LAYOUT), storeId) }])
    const sealer = new Sealer(making.keys, storeId, making.rng)
    const { cacheBytes } = making
    const rows = new Rows(database, sealer, { filter: new AbsenceFilter(expected), cacheBytes })
    return new Store(making, { database, sealer, checkpoint: NOTHING, rows, outdated: false })
  }

  /** @throws projections-damaged when the store contradicts itself, or its rows cannot be read any more */
  static async load(database: Database, making: Making): Promise<Store> {
    const sealer = new Sealer(making.keys, storeIdIn(database), making.rng)
    const checkpoint = await loadCheckpoint(database, sealer, making.folds)
    const unpurged = Unpurged.opened(sealer, database.getSync(UNPURGED_KEY))
    const { rows: counts, heaps, outdated } = checkpoint
    const { cacheBytes } = making
    const rows = new Rows(database, sealer, { counts, heaps, unpurged, cacheBytes })
    return new Store(making, { database, sealer, checkpoint, rows, outdated })
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
    return this.#inTurn(() => this.#write())
  }

  /** The same, and everything written so far is on the disk when it resolves. */
  settle(): Promise<void> {
    return this.#inTurn(() => this.#write({ durably: true }))
  }

  /** Flushes for a snapshot of the closed store: it, and every store that comes of it, knows how old it is. */
  beginSnapshot(): Promise<void> {
    return this.#inTurn(() => this.#write({ snapshot: this.#seq, durably: true }))
  }

  /**
   * Flushes, and leaves no older content of any row on the disk.
   * @throws projections-damaged when there are changes that cannot be written yet
   */
  purge(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#write({ snapshot: 0, durably: true })
      if (this.unflushed > 0) throw damaged('there are changes that cannot be written')
      await this.#database.purge([...this.rows.unpurged.prefixes, ...(await this.#smallProjections())])
      await this.#database.batch([this.rows.unpurged.cleared()])
    })
  }

  digests(): Promise<Digest[]> {
    const { folds, keys } = this.#making
    const digesting = {
      database: this.#database,
      sealer: this.#sealer,
      rows: this.rows,
      digestKey: keys.digestKey,
    }
    return Promise.all(folds.map((fold) => digest(fold, digesting)))
  }

  /** Without flushing. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#writing
    await this.#database.close()
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work)
    this.#writing = done.catch(() => undefined)
    return done
  }

  async #write({ snapshot = this.#checkpoint.snapshot, durably = false } = {}): Promise<void> {
    if (this.#closed || this.outdated || this.#broken || !this.#whole || this.#link === null) return
    const isNews = this.unflushed > 0 || snapshot !== this.#checkpoint.snapshot || durably
    if (!isNews && this.#checkpoint.batch > 0) return
    const taken = this.rows.take()
    let reached = this.#checkpoint
    const operations = this.#operations(taken, { snapshot, link: this.#link }, (it) => (reached = it))
    try {
      await this.#database.batch(operations, durably)
    } catch (error) {
      taken.failed()
      throw error
    }
    taken.done()
    this.#checkpoint = reached
  }

  /** Where rows come to lie is known when all of them were taken: the checkpoint is last. */
  *#operations(
    taken: Taken,
    at: Pick<Checkpoint, 'snapshot' | 'link'>,
    reached: (checkpoint: Checkpoint) => void,
  ): Generator<Operation> {
    try {
      yield* taken.operations
    } catch (error) {
      this.#broken = true
      throw error
    }
    const checkpoint = this.#reached(at)
    reached(checkpoint)
    yield* checkpointOperations(this.#sealer, this.#making.folds, checkpoint)
  }

  #reached({ snapshot, link }: Pick<Checkpoint, 'snapshot' | 'link'>): Checkpoint {
    const rows = new Map(this.#making.folds.map(({ number }) => [number, this.rows.rowsOf(number)]))
    const heaps = this.rows.pages.heaps()
    return { batch: this.#checkpoint.batch + 1, seq: this.#seq, link, rows, heaps, snapshot }
  }

  async #smallProjections(): Promise<Buffer[]> {
    const prefixes = this.#making.folds.map(({ number }) => Buffer.of(ROW_PREFIX, number))
    const sizes = await Promise.all(prefixes.map((prefix) => this.#database.sizeOf(prefix)))
    return prefixes.filter((_, n) => (sizes[n] ?? 0) <= SMALL)
  }

  #handlersOf(type: FactType): readonly Handler[] {
    let handlers = this.#handlers.get(type)
    if (handlers === undefined) {
      handlers = this.#making.folds.flatMap((fold) => (fold.on[type] as Handler | undefined) ?? [])
      this.#handlers.set(type, handlers)
    }
    return handlers
  }
}

interface Parts {
  readonly database: Database
  readonly sealer: Sealer
  readonly checkpoint: Checkpoint
  readonly rows: Rows
  readonly outdated: boolean
}

function storeIdIn(database: Database): Buffer {
  const value = database.getSync(STORE_KEY)
  if (value?.length !== 1 + STORE_ID_BYTES || value[0] !== LAYOUT) throw damaged('there is no store id')
  return value.subarray(1)
}
