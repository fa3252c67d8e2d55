import { equalBytes } from '../../foundation/bytes.js'
import { isSottoError } from '../../foundation/errors.js'
import type { Backing } from './backing.js'
import { damaged, isDamage } from './damage.js'
import type { FactSource } from './source.js'
import { Store } from './store.js'
import type { Making } from './store.js'

/** `done` of `total` facts have passed through the folds. */
export type OnProgress = (progress: { readonly done: number; readonly total: number }) => void

export interface Workshop extends Making {
  readonly backing: Backing
  readonly source: FactSource
  readonly onProgress?: OnProgress | undefined
}

/** Facts between two batches while replaying: many changes of one row become one write. */
const REPLAY_BATCH = 16_384

/** The current store brought up to the head of the log, or a new one where there is none or it cannot be trusted. */
export async function openCurrent(shop: Workshop): Promise<Store> {
  const current = await shop.backing.current()
  await discardOthers(shop.backing, current)
  if (current !== null && (await shop.backing.present()).includes(current)) {
    const store = await resume(shop, current)
    if (store !== null) return store
  }
  const built = await build(shop)
  await shop.backing.makeCurrent(built.number)
  await discardOthers(shop.backing, built.number)
  return built.store
}

/** A store made from the log up to `until`, flushed, not yet current. */
export async function build(shop: Workshop, until = Infinity): Promise<{ store: Store; number: number }> {
  const number = Math.max(0, ...(await shop.backing.present())) + 1
  const store = await Store.fresh(await shop.backing.open(number), shop)
  try {
    await replay(shop, store, until)
    await store.flush()
    return { store, number }
  } catch (error) {
    await store.close()
    await shop.backing.discard(number)
    throw error
  }
}

/** Applies what the store lacks, up to `until` or the head of the log. */
export async function replay(shop: Workshop, store: Store, until = Infinity): Promise<void> {
  if (store.seq >= Math.min(until, shop.source.head.seq)) return
  for await (const frame of shop.source.readFrames(store.seq + 1)) {
    for (const { fact, link } of frame) if (fact.seq <= until) store.apply(fact, link)
    if (store.unflushed >= REPLAY_BATCH) await store.flush()
    shop.onProgress?.({ done: store.seq, total: shop.source.head.seq })
    if (store.seq >= until) break
  }
}

/** Null when the store has to be built anew; errors of the log itself are passed on. */
async function resume(shop: Workshop, number: number): Promise<Store | null> {
  const store = await load(shop, number)
  if (store === null) return null
  try {
    if (!(await isOnTheChain(shop.source, store))) throw damaged('the log went another way')
    await replay(shop, store)
    return store
  } catch (error) {
    await store.close()
    if (isDamage(error)) return null
    throw error
  }
}

/** Whatever goes wrong in here went wrong in level, except that another process may have it open. */
async function load(shop: Workshop, number: number): Promise<Store | null> {
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
async function isOnTheChain(source: FactSource, { checkpoint }: Store): Promise<boolean> {
  const { seq, link } = checkpoint
  if (seq === 0) return true
  if (seq > source.head.seq) return false
  if (seq === source.head.seq) return equalBytes(link, source.head.link)
  for await (const [first] of source.readFrames(seq)) {
    return first?.fact.seq === seq && first.link !== null && equalBytes(first.link, link)
  }
  return false
}

/** Leftovers of a crash between the making of a store and the removal of the one before. */
export async function discardOthers(backing: Backing, current: number | null): Promise<void> {
  for (const number of await backing.present()) if (number !== current) await backing.discard(number)
}
