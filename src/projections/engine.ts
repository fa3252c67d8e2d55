import { join } from 'node:path'
import type { FileSystem } from '../events/file-system/file-system.js'
import type { StoredFact } from '../events/vocabulary/facts.js'
import { equalBytes } from '../foundation/bytes.js'
import type { Rng } from '../foundation/rng.js'
import { diskBacking, memoryBacking } from './engine/backing.js'
import type { Backing } from './engine/backing.js'
import { isDamage } from './engine/damage.js'
import type { Digest } from './engine/digest.js'
import type { AnyFold } from './engine/fold.js'
import { build, discarded, openCurrent, replay, swapIn } from './engine/opening.js'
import type { Numbered, OnProgress, Workshop } from './engine/opening.js'
import { projectionKeys } from './engine/sealing.js'
import { SNAPSHOT_POLICY, discardSnapshots, isSnapshotDue, takeSnapshot } from './engine/snapshots.js'
import type { SnapshotPolicy } from './engine/snapshots.js'
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
  /** For tests: another disk, another place to keep stores, other folds, a smaller cache, other intervals. */
  readonly fs?: FileSystem
  readonly backing?: Backing
  readonly folds?: readonly AnyFold[]
  readonly cacheBytes?: number
  readonly flushAfter?: { readonly facts: number; readonly ms: number }
  readonly snapshots?: SnapshotPolicy
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
 * Opens the projections of a log, resuming from their checkpoint or a snapshot, or rebuilding them: damage is never an
 * error here. What older folds made is shown, if it can be read, until `ready`.
 * @throws profile-busy when another process has them open, and whatever reading the log throws
 */
export async function openProjections(options: ProjectionsOptions): Promise<Projections> {
  const stop = new AbortController()
  const shop: Workshop = {
    backing: options.backing ?? backingOf(options),
    source: options.store,
    keys: projectionKeys(options.root, options.logId),
    folds: options.folds ?? FOLDS,
    rng: options.rng,
    snapshots: options.snapshots ?? SNAPSHOT_POLICY,
    onProgress: options.onProgress,
    cacheBytes: options.cacheBytes,
    stop: stop.signal,
  }
  const opened = await openCurrent(shop)
  return new Projections(shop, opened, options.flushAfter ?? FLUSH_AFTER, () => stop.abort())
}

function backingOf({ memory, directory, fs }: ProjectionsOptions): Backing {
  return memory === true ? memoryBacking() : diskBacking(join(directory, 'projections'), fs)
}

/** The read side of a profile: every fact of the log, folded. */
export class Projections {
  readonly view: View
  /** Resolves when the view shows what the present folds make of every fact; rejects when the log cannot be read. */
  readonly ready: Promise<void>
  readonly #shop: Workshop
  readonly #flushAfter: { readonly facts: number; readonly ms: number }
  readonly #stop: () => void
  #opened: Numbered
  #timer: NodeJS.Timeout | null = null
  /** False while the store is damaged, or older folds made it: facts wait until it is rebuilt. */
  #takes = true
  #rebuilding: Promise<void> | null = null
  readonly #waiting: Group[] = []
  /** Rebuilds, checks and purges come one after the other. */
  #works: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(shop: Workshop, opened: Numbered, flushAfter: { facts: number; ms: number }, stop: () => void) {
    this.#shop = shop
    this.#opened = opened
    this.#flushAfter = flushAfter
    this.#stop = stop
    this.view = viewOf(
      () => this.#store,
      () => void this.#heal().catch(() => undefined),
    )
    this.ready = opened.store.outdated ? this.#heal() : Promise.resolve()
    this.ready.catch(() => undefined)
  }

  get #store(): Store {
    return this.#opened.store
  }

  /**
   * Takes in facts that are durable in the log, in its order; those known already are skipped. The view shows them when
   * this returns, or, if everything has to be rebuilt first, when the promise does.
   * @param link the log's link after the last fact if that ends a commit group, else null
   */
  apply(facts: readonly StoredFact[], link: Uint8Array | null): void | Promise<void> {
    if (this.#takes) {
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
    return this.#store.flush().catch((error: unknown) => this.#healed(error))
  }

  /** Builds everything anew from the log, and swaps. The old state is shown, and goes on, meanwhile. */
  rebuild(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#rebuilding ??= this.#inTurn(() => this.#rebuild()).finally(() => (this.#rebuilding = null))
    return this.#rebuilding
  }

  hashes(): Promise<Digest[]> {
    return this.#inTurn(() => this.#store.digests())
  }

  /**
   * Leaves nothing on the disk of what rows were before, deleted ones above all, nor of earlier states as a whole. To be
   * called after facts that took content away were applied, and again after a crash in between.
   */
  async purge(): Promise<void> {
    const purged = () =>
      this.#inTurn(async () => {
        await discardSnapshots(this.#shop.backing)
        await this.#store.purge()
      })
    await purged().catch((error: unknown) => this.#healed(error).then(purged))
  }

  /** Compares the stored rows with a fresh replay of the log up to the same fact. Facts may go on being applied. */
  replayCheck(onProgress = this.#shop.onProgress): Promise<ReplayedDigest[]> {
    return this.#inTurn(async () => {
      const until = this.#store.seq
      const stored = this.#store.digests().catch(noneIfDamaged)
      const fresh = await build({ ...this.#shop, onProgress }, until)
      const digests = await fresh.store.digests()
      await discarded(this.#shop, fresh)
      const before = await stored
      return digests.map((digest) => ({ ...digest, equal: before.some((other) => isSame(digest, other)) }))
    })
  }

  /**
   * Flushes and closes, leaving a snapshot if it is time for one. What could not be flushed, and a rebuild that was not
   * through, come again from the log next time. Idempotent.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTimer()
    this.#stop()
    await this.#works
    if (await this.#isSnapshotDue()) return takeSnapshot(this.#shop.backing, this.#opened)
    await this.#store.flush().catch(() => undefined)
    await this.#store.close()
  }

  async #isSnapshotDue(): Promise<boolean> {
    const { backing, snapshots } = this.#shop
    return this.#takes && (await isSnapshotDue(backing, this.#store, snapshots).catch(() => false))
  }

  #take({ facts, link }: Group): void {
    facts.forEach((fact, i) => {
      if (fact.seq > this.#store.seq) this.#store.apply(fact, i === facts.length - 1 ? link : null)
    })
    this.#flushSoon()
  }

  #heal(): Promise<void> {
    this.#takes = false
    return this.rebuild()
  }

  /** For damage met while writing; @throws every other error */
  async #healed(error: unknown): Promise<void> {
    if (!isDamage(error)) throw error
    await this.#heal()
  }

  async #rebuild(): Promise<void> {
    try {
      await this.#swap(await build(this.#shop))
    } catch (error) {
      if (!this.#shop.stop.aborted) throw error
    }
  }

  /** The facts that came meanwhile are in the log, so the new store has them, or they wait; then one step swaps. */
  async #swap(built: Numbered): Promise<void> {
    try {
      while (built.store.seq < this.#store.seq) {
        await replay(this.#shop, built.store)
        await built.store.settle()
      }
    } catch (error) {
      await discarded(this.#shop, built)
      throw error
    }
    const old = this.#store
    this.#opened = built
    this.#takes = true
    for (const group of this.#waiting.splice(0)) this.#take(group)
    await old.close()
    await discardSnapshots(this.#shop.backing)
    await swapIn(this.#shop.backing, built)
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
