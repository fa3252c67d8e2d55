import { promised } from '../engine/damage.js'
import { table } from '../engine/fold.js'
import type { Reads, Table, Tx } from '../engine/fold.js'
import { beginsRun, cutPages } from './pages.js'

/** What stands where, in two columns: entries in each page, and its first, which names it. */
interface PageIndex {
  total: number
  readonly counts: number[]
  readonly firsts: string[]
}

/**
 * A kind of ordered lists of unique strings, kept in pages of at most `size` behind an index: reading an end of a list
 * opens the index and the pages there, whatever the length. Pages and indexes are changed in place and put again.
 *
 * Where pages begin follows from what is in the list alone, not from how it came there (`pages.ts`): a list from which
 * something was forgotten is, byte for byte, one that never had it.
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
    tx.put(list.indexes, name, { total: 1, counts: [1], firsts: [entry] })
    tx.put(list.pages, pageName(name, entry), [entry])
    return true
  }
  const slot = slotFor(index, entry)
  const page = pageAt(tx, list, name, index, slot)
  const place = lowerBound(page, entry)
  if (page[place] === entry) return false
  index.total++
  if (staysInPage(list, index, slot, page, place, entry)) {
    page.splice(place, 0, entry)
    settle(tx, list, name, index, slot, page)
  } else {
    const rest = entriesToRunEnd(tx, list, name, index, slot)
    rest.splice(place, 0, entry)
    // Inside a run nothing else begins one than the new entry, or what was first until now.
    const at = Math.max(place, 1)
    const runs = beginsRun(rest[at] ?? entry, list.size) && at < rest.length ? [at] : []
    const gone = endOfRun(list, index, slot) - slot
    replacePages(tx, list, name, index, slot, gone, cutPages(rest, list.size, runs))
  }
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
  index.total--
  if (page.length > 1 && isLastOfRun(list, index, slot) && (place > 0 || !joinsTwoRuns(list, slot, entry))) {
    page.splice(place, 1)
    if (place > 0) settle(tx, list, name, index, slot, page)
    else replacePages(tx, list, name, index, slot, 1, [page])
  } else {
    const from = joinsTwoRuns(list, slot, entry) ? slot - 1 : slot
    const rest = from === slot ? [] : [...pageAt(tx, list, name, index, from)]
    for (const other of entriesToRunEnd(tx, list, name, index, slot)) if (other !== entry) rest.push(other)
    const gone = endOfRun(list, index, slot) - from
    replacePages(tx, list, name, index, from, gone, cutPages(rest, list.size, []))
  }
  return true
}

/** The last `limit` entries not below `from`, in order. */
export function newest(reads: Reads, list: PageList, name: string, limit: number, from = ''): string[] {
  const index = reads.get(list.indexes, name)
  const parts: string[][] = []
  let left = limit
  for (let slot = (index?.firsts.length ?? 0) - 1; index !== undefined && slot >= 0 && left > 0; slot--) {
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
  for (let slot = 0; index !== undefined && slot < index.firsts.length && out.length < limit; slot++) {
    out.push(...pageAt(reads, list, name, index, slot).slice(0, limit - out.length))
  }
  return out
}

/** The highest entry, if there is one. */
export function lastIn(reads: Reads, list: PageList, name: string): string | undefined {
  const index = reads.get(list.indexes, name)
  return index && pageAt(reads, list, name, index, index.firsts.length - 1).at(-1)
}

/** Drops the first page if all of it is below `bound`: old entries go a page at a time, a little with every fact. */
export function dropOldPage(tx: Tx, list: PageList, name: string, bound: () => string): void {
  const index = tx.get(list.indexes, name)
  const [first, second] = index?.firsts ?? []
  if (index === undefined || first === undefined || second === undefined || second > bound()) return
  tx.delete(list.pages, pageName(name, first))
  index.total -= index.counts[0] ?? 0
  index.counts.shift()
  index.firsts.shift()
  tx.put(list.indexes, name, index)
}

export function dropList(tx: Tx, list: PageList, name: string): void {
  for (const first of tx.get(list.indexes, name)?.firsts ?? []) tx.delete(list.pages, pageName(name, first))
  tx.delete(list.indexes, name)
}

function pageName(name: string, first: string): string {
  return `${name}/${first}`
}

function pageAt(reads: Reads, list: PageList, name: string, index: PageIndex, slot: number): string[] {
  const first = promised(index.firsts[slot], 'an index without pages')
  return promised(reads.get(list.pages, pageName(name, first)), 'a page is missing')
}

/** Most insertions: into the last page of a run, which has room, behind its first entry. */
function staysInPage(
  list: PageList,
  index: PageIndex,
  slot: number,
  page: readonly string[],
  place: number,
  entry: string,
): boolean {
  return (
    page.length < list.size && place > 0 && isLastOfRun(list, index, slot) && !beginsRun(entry, list.size)
  )
}

/** Only the last page of a run may have room. */
function isLastOfRun(list: PageList, index: PageIndex, slot: number): boolean {
  const next = index.firsts[slot + 1]
  return next === undefined || beginsRun(next, list.size)
}

/** Brings the index row in line with a page that kept its first entry. */
function settle(tx: Tx, list: PageList, name: string, index: PageIndex, slot: number, page: string[]): void {
  index.counts[slot] = page.length
  tx.put(list.pages, pageName(name, promised(page[0], 'an empty page')), page)
  tx.put(list.indexes, name, index)
}

function endOfRun(list: PageList, index: PageIndex, slot: number): number {
  let end = slot
  while (!isLastOfRun(list, index, end)) end++
  return end + 1
}

function entriesToRunEnd(tx: Tx, list: PageList, name: string, index: PageIndex, slot: number): string[] {
  const out: string[] = []
  const end = endOfRun(list, index, slot)
  for (let each = slot; each < end; each++) out.push(...pageAt(tx, list, name, index, each))
  return out
}

/** Without its beginning a run goes on where the one before it ends. */
function joinsTwoRuns(list: PageList, slot: number, removed: string): boolean {
  return slot > 0 && beginsRun(removed, list.size)
}

/** Puts `pages` in the place of `gone` others from `slot` on. */
function replacePages(
  tx: Tx,
  list: PageList,
  name: string,
  index: PageIndex,
  slot: number,
  gone: number,
  pages: readonly string[][],
): void {
  const firsts = pages.map((page) => promised(page[0], 'an empty page'))
  index.counts.splice(slot, gone, ...pages.map((page) => page.length))
  for (const first of index.firsts.splice(slot, gone, ...firsts)) tx.delete(list.pages, pageName(name, first))
  pages.forEach((page, i) => tx.put(list.pages, pageName(name, firsts[i] ?? ''), page))
  if (index.total === 0) tx.delete(list.indexes, name)
  else tx.put(list.indexes, name, index)
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
