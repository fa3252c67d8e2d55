import { equalBytes } from '../../foundation/bytes.js'
import { isSottoError } from '../../foundation/errors.js'
import type { Backing } from './backing.js'
import { damaged, isDamage } from './damage.js'
import { discardSnapshots, isSnapshotDue, takeSnapshot } from './snapshots.js'
import type { SnapshotPolicy } from './snapshots.js'
import type { FactSource } from './source.js'
import { Store } from './store.js'
import type { Making } from './store.js'

/** `done` of `total` facts have passed through the folds. */
export type OnProgress = (progress: { readonly done: number; readonly total: number }) => void

export interface Workshop extends Making {
  readonly backing: Backing
  readonly source: FactSource
  readonly snapshots: SnapshotPolicy
  readonly onProgress?: OnProgress | undefined
  /** Builds that nobody waits for any more end when it is. */
  readonly stop: AbortSignal
}

export interface Numbered {
  readonly store: Store
  readonly number: number
}

/** Facts between two batches while replaying: many changes of one row become one write. */
const REPLAY_BATCH = 8192

/**
 * The current store brought up to the head of the log; if it cannot be trusted, the newest snapshot that can; if there
 * is none, a new store. One that older folds made is given as it is, if the present view can read it.
 */
export async function openCurrent(shop: Workshop): Promise<Numbered> {
  const { backing } = shop
  const current = await backing.current()
  await backing.sweep()
  await discardOthers(backing, current)
  if (current !== null && (await backing.present()).includes(current)) {
    const store = await resume(shop, current)
    if (store?.outdated === true) return { store, number: current }
    const opened = store && (await withSnapshot(shop, { store, number: current }))
    if (opened !== null) return opened
  }
  const restored = await fromSnapshot(shop)
  const made = restored ?? (await build(shop))
  try {
    // What came before a store that had to be built anew may be what was wrong, or what was forgotten since.
    if (restored === null) await discardSnapshots(backing)
    await swapIn(backing, made)
  } catch (error) {
    await made.store.close()
    throw error
  }
  return made
}

/** From now on this store counts, and no other. */
export async function swapIn(backing: Backing, { number }: Numbered): Promise<void> {
  await backing.makeCurrent(number)
  await discardOthers(backing, number)
}

/** A store made from the log up to `until`, flushed, not yet current. */
export async function build(shop: Workshop, until = Infinity): Promise<Numbered> {
  const number = await nextNumber(shop.backing)
  const expected = Math.min(until, shop.source.head.seq)
  const store = await Store.fresh(await shop.backing.open(number), shop, expected)
  try {
    await replay(shop, store, { until })
    await store.settle()
    return { store, number }
  } catch (error) {
    await discarded(shop, { store, number })
    throw error
  }
}

/**
 * Applies what the store lacks, up to `until` or the head of the log.
 * @param onErased the log says that something was erased, which the store may have held before
 */
export async function replay(
  shop: Workshop,
  store: Store,
  { until = Infinity, onErased = () => undefined }: { until?: number; onErased?: () => void } = {},
): Promise<void> {
  if (store.seq >= Math.min(until, shop.source.head.seq)) return
  for await (const frame of shop.source.readFrames(store.seq + 1)) {
    shop.stop.throwIfAborted()
    for (const { fact, link } of frame) {
      if (fact.seq > until) break
      store.apply(fact, link)
      if (fact.type === 'ContentErased') onErased()
    }
    if (store.unflushed >= REPLAY_BATCH) await store.flush()
    shop.onProgress?.({ done: store.seq, total: shop.source.head.seq })
    if (store.seq >= until) break
  }
}

/** Closes and removes a store that does not count. */
export async function discarded({ backing }: Workshop, { store, number }: Numbered): Promise<void> {
  await store.close()
  await backing.discard(number)
}

/** Leftovers of a crash between the making of a store and the removal of the one before. */
export async function discardOthers(backing: Backing, current: number | null): Promise<void> {
  for (const number of await backing.present()) if (number !== current) await backing.discard(number)
}

/** The newest snapshot that can be trusted, and the tail. Those that cannot be are of no use any more. */
async function fromSnapshot(shop: Workshop): Promise<Numbered | null> {
  for (const snapshot of [...(await shop.backing.snapshots())].reverse()) {
    const restored = await restore(shop, snapshot)
    if (restored !== null) return restored
    await shop.backing.discardSnapshot(snapshot)
  }
  return null
}

async function restore(shop: Workshop, snapshot: number): Promise<Numbered | null> {
  const number = await nextNumber(shop.backing)
  const copied = await shop.backing.restore(snapshot, number).then(
    () => true,
    () => false,
  )
  const store = copied ? await resume(shop, number) : null
  if (store?.outdated === false && (await isSettled(store))) return { store, number }
  await store?.close()
  await shop.backing.discard(number)
  return null
}

async function isSettled(store: Store): Promise<boolean> {
  return store.settle().then(
    () => true,
    () => false,
  )
}

/** A snapshot is of a closed store, so this one is opened twice; only now and then (`SnapshotPolicy`). */
async function withSnapshot(shop: Workshop, opened: Numbered): Promise<Numbered | null> {
  if (!(await isSnapshotDue(shop.backing, opened.store, shop.snapshots))) return opened
  await takeSnapshot(shop.backing, opened)
  const store = await resume(shop, opened.number)
  return store && { store, number: opened.number }
}

/** Null when the store has to be made anew; errors of the log itself are passed on. */
async function resume(shop: Workshop, number: number): Promise<Store | null> {
  const store = await load(shop, number)
  if (store === null) return null
  try {
    if (!(await isOnTheChain(shop.source, store))) throw damaged('the log went another way')
    if (!store.outdated) await caughtUp(shop, store)
    return store
  } catch (error) {
    await store.close()
    if (isDamage(error)) return null
    throw error
  }
}

/**
 * What the log says is erased, by another device (SPEC § 4.10) or before a crash, nobody is going to erase: it must not
 * stay in what was written before. That it is owed is written down with the facts that say so.
 */
async function caughtUp(shop: Workshop, store: Store): Promise<void> {
  const { unpurged } = store.rows
  await replay(shop, store, { onErased: () => unpurged.owe() })
  if (unpurged.isOwed) await purged(shop, store)
}

async function purged({ backing }: Workshop, store: Store): Promise<void> {
  try {
    await discardSnapshots(backing)
    await store.purge()
  } catch (error) {
    throw isDamage(error) ? error : damaged('it cannot be purged', error)
  }
}

/** Whatever goes wrong in here went wrong in level, except that another process may have it open. */
export async function load(shop: Workshop, number: number): Promise<Store | null> {
  try {
    const database = await shop.backing.open(number)
    return await Store.load(database, shop).catch(async (error: unknown) => {
      await database.close()
      throw error
    })
  } catch (error) {
    if (isSottoError(error, 'profile-busy')) throw error
    return null
  }
}

/** The log's link after the checkpoint must be the checkpoint's: else they tell different stories. */
export async function isOnTheChain(source: FactSource, { checkpoint }: Store): Promise<boolean> {
  const { seq, link } = checkpoint
  if (seq === 0) return true
  if (seq > source.head.seq) return false
  if (seq === source.head.seq) return equalBytes(link, source.head.link)
  for await (const [first] of source.readFrames(seq)) {
    return first?.fact.seq === seq && first.link !== null && equalBytes(first.link, link)
  }
  return false
}

async function nextNumber(backing: Backing): Promise<number> {
  return Math.max(0, ...(await backing.present())) + 1
}
