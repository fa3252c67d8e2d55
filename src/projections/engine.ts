import { join } from 'node:path'
import type { StoredFact } from '../events/vocabulary/facts.js'
import { equalBytes } from '../foundation/bytes.js'
import type { Rng } from '../foundation/rng.js'
import { diskBacking, memoryBacking } from './engine/backing.js'
import type { Backing } from './engine/backing.js'
import { isDamage } from './engine/damage.js'
import type { Digest } from './engine/digest.js'
import type { AnyFold } from './engine/fold.js'
import { build, discardOthers, openCurrent, replay } from './engine/opening.js'
import type { OnProgress, Workshop } from './engine/opening.js'
import { projectionKeys } from './engine/sealing.js'
import type { FactSource } from './engine/source.js'
import type { Store } from './engine/store.js'
import { FOLDS } from './folds.js'
import { viewOf } from './view-of-projections.js'
import type { View } from './view.js'

export interface ProjectionsOptions {
  /** The profile's directory; stores live in `projections/` below it. Not used in memory. */
  readonly directory: string
  readonly root: Uint8Array
  readonly logId: Uint8Array
  readonly store: FactSource
  readonly rng: Rng
  readonly memory?: boolean
  readonly onProgress?: OnProgress
  /** For tests: another place to keep stores, other folds, a smaller cache, other intervals of background flushes. */
  readonly backing?: Backing
  readonly folds?: readonly AnyFold[]
  readonly cacheBytes?: number
  readonly flushAfter?: { readonly facts: number; readonly ms: number }
}

export interface ReplayedDigest extends Digest {
  /** The stored rows are the ones that a fresh replay of the log gives. */
  readonly equal: boolean
}

interface Group {
  readonly facts: readonly StoredFact[]
  readonly link: Uint8Array | null
}

const FLUSH_AFTER = { facts: 4096, ms: 1000 } as const

/**
 * Opens the projections of a log, resuming from their checkpoint or rebuilding them: damage is never an error here.
 * @throws profile-busy when another process has them open, and whatever reading the log throws
 */
export async function openProjections(options: ProjectionsOptions): Promise<Projections> {
  const inMemory =
    options.memory === true ? memoryBacking() : diskBacking(join(options.directory, 'projections'))
  const shop: Workshop = {
    backing: options.backing ?? inMemory,
    source: options.store,
    keys: projectionKeys(options.root, options.logId),
    folds: options.folds ?? FOLDS,
    rng: options.rng,
    onProgress: options.onProgress,
    cacheBytes: options.cacheBytes,
  }
  const store = await openCurrent(shop)
  return new Projections(shop, store, options.flushAfter ?? FLUSH_AFTER)
}

/** The read side of a profile: every fact of the log, folded. */
export class Projections {
  readonly view: View
  readonly #shop: Workshop
  readonly #flushAfter: { readonly facts: number; readonly ms: number }
  #store: Store
  #timer: NodeJS.Timeout | null = null
  /** What is read can not be trusted until the rebuild under way is through. */
  #damaged = false
  #rebuilding: Promise<void> | null = null
  readonly #waiting: Group[] = []
  /** Rebuilds and checks come one after the other. */
  #works: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(shop: Workshop, store: Store, flushAfter: { facts: number; ms: number }) {
    this.#shop = shop
    this.#store = store
    this.#flushAfter = flushAfter
    this.view = viewOf(
      () => this.#store,
      () => void this.#heal().catch(() => undefined),
    )
  }

  /**
   * Takes in facts that are durable in the log, in its order; those known already are skipped. The view shows them when
   * this returns, or, if damage was found and everything is rebuilt, when the promise does.
   * @param link the log's link after the last fact if that ends a commit group, else null
   */
  apply(facts: readonly StoredFact[], link: Uint8Array | null): void | Promise<void> {
    if (!this.#damaged) {
      try {
        this.#take({ facts, link })
        return
      } catch (error) {
        if (!isDamage(error)) throw error
      }
    }
    this.#waiting.push({ facts, link })
    return this.#heal()
  }

  /** Writes what was applied; in the middle of a commit group nothing can be written yet. */
  flush(): Promise<void> {
    this.#cancelTimer()
    return this.#store.flush()
  }

  /** Builds everything anew from the log, and swaps. The old state is shown, and goes on, meanwhile. */
  rebuild(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#rebuilding ??= this.#inTurn(() => this.#rebuild()).finally(() => (this.#rebuilding = null))
    return this.#rebuilding
  }

  hashes(): Promise<Digest[]> {
    return this.#store.digests()
  }

  /** Compares the stored rows with a fresh replay of the log up to the same fact. Facts may go on being applied. */
  replayCheck(): Promise<ReplayedDigest[]> {
    return this.#inTurn(async () => {
      const until = this.#store.seq
      const stored = this.#store.digests().catch(noneIfDamaged)
      const { store: fresh, number } = await build(this.#shop, until)
      const digests = await fresh.digests()
      await fresh.close()
      await this.#shop.backing.discard(number)
      const before = await stored
      return digests.map((digest) => ({ ...digest, equal: before.some((other) => isSame(digest, other)) }))
    })
  }

  /** Flushes and closes. What could not be flushed is replayed from the log next time. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTimer()
    await this.#works
    await this.#store.flush().catch(() => undefined)
    await this.#store.close()
  }

  #take({ facts, link }: Group): void {
    facts.forEach((fact, i) => {
      if (fact.seq > this.#store.seq) this.#store.apply(fact, i === facts.length - 1 ? link : null)
    })
    this.#flushSoon()
  }

  #heal(): Promise<void> {
    this.#damaged = true
    return this.rebuild()
  }

  /** The facts that came meanwhile are in the log, so the new store has them, or they wait; then one step swaps. */
  async #rebuild(): Promise<void> {
    const { store, number } = await build(this.#shop)
    while (store.seq < this.#store.seq) {
      await replay(this.#shop, store)
      await store.flush()
    }
    const old = this.#store
    this.#store = store
    this.#damaged = false
    for (const group of this.#waiting.splice(0)) this.#take(group)
    await old.close()
    await this.#shop.backing.makeCurrent(number)
    await discardOthers(this.#shop.backing, number)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#works.then(work)
    this.#works = done.catch(() => undefined)
    return done
  }

  #flushSoon(): void {
    if (this.#store.unflushed >= this.#flushAfter.facts) this.#flushInBackground()
    else this.#timer ??= setTimeout(() => this.#flushInBackground(), this.#flushAfter.ms).unref()
  }

  /** A flush that fails leaves its rows in memory and the facts in the log: the next one takes them along. */
  #flushInBackground(): void {
    this.flush().catch(() => undefined)
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

function isSame(a: Digest, b: Digest): boolean {
  return a.name === b.name && a.rows === b.rows && equalBytes(a.hash, b.hash)
}

function noneIfDamaged(error: unknown): Digest[] {
  if (isDamage(error)) return []
  throw error
}
