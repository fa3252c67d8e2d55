import { promised } from '../engine/damage.js'
import { table } from '../engine/fold.js'
import type { Reads, Table, Tx } from '../engine/fold.js'

/** What stands where, in three columns: page number, entries in it, its first entry. */
interface PageIndex {
  next: number
  total: number
  readonly pages: number[]
  readonly counts: number[]
  readonly firsts: string[]
}

/**
 * A kind of ordered lists of unique strings, kept in pages of at most `size` behind an index: reading an end of a list
 * opens the index and the pages there, whatever the length. Pages and indexes are changed in place and put again.
 */
export interface PageList {
  readonly pages: Table<string[]>
  readonly indexes: Table<PageIndex>
  readonly size: number
}

/** Takes the table numbers `number` and `number + 1` of the projection. */
export function pageList(projection: number, number: number, size: number): PageList {
  return { pages: table(projection, number), indexes: table(projection, number + 1), size }
}

export function countOf(reads: Reads, list: PageList, name: string): number {
  return reads.get(list.indexes, name)?.total ?? 0
}

export function holds(reads: Reads, list: PageList, name: string, entry: string): boolean {
  const index = reads.get(list.indexes, name)
  if (index === undefined) return false
  const page = pageAt(reads, list, name, index, slotFor(index, entry))
  return page[lowerBound(page, entry)] === entry
}

/** @returns false when the entry was there already */
export function insertInto(tx: Tx, list: PageList, name: string, entry: string): boolean {
  const index = tx.get(list.indexes, name)
  if (index === undefined) {
    tx.put(list.indexes, name, { next: 1, total: 1, pages: [0], counts: [1], firsts: [entry] })
    tx.put(list.pages, pageName(name, 0), [entry])
    return true
  }
  const slot = slotFor(index, entry)
  const page = pageAt(tx, list, name, index, slot)
  const place = lowerBound(page, entry)
  if (page[place] === entry) return false
  page.splice(place, 0, entry)
  index.total++
  if (page.length > list.size) split(tx, list, name, index, slot, page, place)
  settle(tx, list, name, index, slot, page)
  return true
}

/** @returns false when the entry was not there */
export function removeFrom(tx: Tx, list: PageList, name: string, entry: string): boolean {
  const index = tx.get(list.indexes, name)
  if (index === undefined) return false
  const slot = slotFor(index, entry)
  const page = pageAt(tx, list, name, index, slot)
  const place = lowerBound(page, entry)
  if (page[place] !== entry) return false
  page.splice(place, 1)
  index.total--
  settle(tx, list, name, index, slot, page)
  return true
}

/** The last `limit` entries not below `from`, in order. */
export function newest(reads: Reads, list: PageList, name: string, limit: number, from = ''): string[] {
  const index = reads.get(list.indexes, name)
  const parts: string[][] = []
  let left = limit
  for (let slot = (index?.pages.length ?? 0) - 1; index !== undefined && slot >= 0 && left > 0; slot--) {
    const page = pageAt(reads, list, name, index, slot)
    const start = Math.max(lowerBound(page, from), page.length - left)
    parts.push(page.slice(start))
    left -= page.length - start
    if (start > 0) break
  }
  return parts.reverse().flat()
}

/** The first `limit` entries, in order. */
export function oldest(reads: Reads, list: PageList, name: string, limit = Infinity): string[] {
  const index = reads.get(list.indexes, name)
  const out: string[] = []
  for (let slot = 0; index !== undefined && slot < index.pages.length && out.length < limit; slot++) {
    out.push(...pageAt(reads, list, name, index, slot).slice(0, limit - out.length))
  }
  return out
}

/** Drops the first page if all of it is below `bound`: old entries go a page at a time, a little with every fact. */
export function dropOldPage(tx: Tx, list: PageList, name: string, bound: () => string): void {
  const index = tx.get(list.indexes, name)
  const second = index?.firsts[1]
  if (index === undefined || second === undefined || second > bound()) return
  index.total -= index.counts[0] ?? 0
  forget(tx, list, name, index, 0)
  tx.put(list.indexes, name, index)
}

export function dropList(tx: Tx, list: PageList, name: string): void {
  const index = tx.get(list.indexes, name)
  for (const page of index?.pages ?? []) tx.delete(list.pages, pageName(name, page))
  tx.delete(list.indexes, name)
}

function pageName(name: string, page: number): string {
  return `${name}/${page}`
}

function pageAt(reads: Reads, list: PageList, name: string, index: PageIndex, slot: number): string[] {
  const number = promised(index.pages[slot], 'an index without pages')
  return promised(reads.get(list.pages, pageName(name, number)), 'a page is missing')
}

/** Appending keeps full pages behind it; an insertion in the middle halves the page. */
function split(
  tx: Tx,
  list: PageList,
  name: string,
  index: PageIndex,
  slot: number,
  page: string[],
  at: number,
): void {
  const atEnd = slot === index.pages.length - 1 && at === page.length - 1
  const upper = page.splice(atEnd ? at : page.length >> 1)
  const number = index.next++
  index.pages.splice(slot + 1, 0, number)
  index.counts.splice(slot + 1, 0, upper.length)
  index.firsts.splice(slot + 1, 0, promised(upper[0], 'an empty page'))
  tx.put(list.pages, pageName(name, number), upper)
}

/** Brings the index row in line with a changed page; an empty page goes, an empty list too. */
function settle(tx: Tx, list: PageList, name: string, index: PageIndex, slot: number, page: string[]): void {
  const first = page[0]
  if (first === undefined) forget(tx, list, name, index, slot)
  else {
    index.counts[slot] = page.length
    index.firsts[slot] = first
    tx.put(list.pages, pageName(name, promised(index.pages[slot], 'an index without pages')), page)
  }
  if (index.total === 0) tx.delete(list.indexes, name)
  else tx.put(list.indexes, name, index)
}

function forget(tx: Tx, list: PageList, name: string, index: PageIndex, slot: number): void {
  tx.delete(list.pages, pageName(name, promised(index.pages[slot], 'an index without pages')))
  index.pages.splice(slot, 1)
  index.counts.splice(slot, 1)
  index.firsts.splice(slot, 1)
}

/** The page an entry belongs into: the last that begins at or below it. */
function slotFor(index: PageIndex, entry: string): number {
  const after = lowerBound(index.firsts, entry)
  return index.firsts[after] === entry ? after : Math.max(0, after - 1)
}

/** The first place whose entry is not below `entry`. */
function lowerBound(sorted: readonly string[], entry: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') < entry) low = middle + 1
    else high = middle
  }
  return low
}
