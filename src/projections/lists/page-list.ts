import { promised } from '../engine/damage.js'
import { table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import {
  FIRST_PAGE,
  NO_MARK,
  chapterName,
  chapterOf,
  chaptersOf,
  dropFirstPage,
  join,
  keepChapter,
  keepTop,
  pageName,
  split,
} from './chapters.js'
import type { Chapter, Index, Top } from './chapters.js'
import { RUNS_PER_CHAPTER, beginsChapter, beginsRun, cutPages } from './pages.js'
import { lowerBound } from './sorted.js'

/**
 * A kind of ordered lists of unique strings, kept in pages of at most `size` behind an index in chapters: reading an end
 * of a list opens a few rows, whatever the length. Rows are changed in place and put again.
 *
 * Where pages and chapters begin follows from what is in the list alone, not from how it came there (`pages.ts`): a list
 * from which something was forgotten is, byte for byte, one that never had it.
 */
export interface PageList extends Index {
  readonly size: number
  /** Runs of pages in a chapter, on average. */
  readonly runs: number
}

/** Takes the table numbers from `number` to `number + 2` of the projection. */
export function pageList(
  projection: number,
  number: number,
  size: number,
  runs: number = RUNS_PER_CHAPTER,
): PageList {
  return {
    pages: table(projection, number),
    chapters: table(projection, number + 1),
    tops: table(projection, number + 2),
    size,
    runs,
  }
}

export function countOf(reads: Reads, list: PageList, name: string): number {
  return reads.get(list.tops, name)?.total ?? 0
}

export function holds(reads: Reads, list: PageList, name: string, entry: string): boolean {
  const top = reads.get(list.tops, name)
  const firsts = top && chapterOf(reads, list, name, top, entry).firsts
  if (firsts === undefined || firsts.length === 0) return false
  const page = pageAt(reads, list, name, firsts, slotFor(firsts, entry))
  return page[lowerBound(page, entry)] === entry
}

/** @returns false when the entry was there already */
export function insertInto(tx: Tx, list: PageList, name: string, entry: string): boolean {
  const top = tx.get(list.tops, name)
  if (top === undefined) return begin(tx, list, name, entry)
  const chapter = chapterOf(tx, list, name, top, entry)
  if (!insertIntoChapter(tx, list, name, chapter, entry)) return false
  top.total++
  if (beginsChapter(entry, list.size, list.runs)) split(tx, list, name, top, chapter, entry)
  keepTop(tx, list, name, top)
  return true
}

/** @returns false when the entry was not there */
export function removeFrom(tx: Tx, list: PageList, name: string, entry: string): boolean {
  const top = tx.get(list.tops, name)
  if (top === undefined) return false
  if (top.total === 1) return end(tx, list, name, top, entry)
  let chapter = chapterOf(tx, list, name, top, entry)
  const { firsts } = chapter
  if (firsts.length === 0) return false
  const page = pageAt(tx, list, name, firsts, slotFor(firsts, entry))
  const place = lowerBound(page, entry)
  if (page[place] !== entry) return false
  if (chapter.mark === entry) chapter = join(tx, list, name, top, chapter)
  removeFromChapter(tx, list, name, chapter, entry, page, place)
  top.total--
  keepTop(tx, list, name, top)
  return true
}

/** Most queues are empty but for a moment: the first entry of a list comes and goes without a look at what is not there. */
function begin(tx: Tx, list: PageList, name: string, entry: string): true {
  const mark = beginsChapter(entry, list.size, list.runs) ? entry : NO_MARK
  const first = mark === NO_MARK ? FIRST_PAGE : entry
  tx.put(list.pages, pageName(name, first), [entry])
  tx.put(list.chapters, chapterName(name, mark), { mark, firsts: [first] })
  tx.put(list.tops, name, { total: 1, marks: mark === NO_MARK ? [] : [mark] })
  return true
}

/** Takes the only entry of a list away. */
function end(tx: Tx, list: PageList, name: string, { marks }: Top, entry: string): boolean {
  const [mark = NO_MARK] = marks
  const first = mark === NO_MARK ? FIRST_PAGE : mark
  const [only] = promised(tx.get(list.pages, pageName(name, first)), 'a page is missing')
  if (only !== entry) return false
  tx.delete(list.pages, pageName(name, first))
  tx.delete(list.chapters, chapterName(name, mark))
  tx.delete(list.tops, name)
  return true
}

/** The last `limit` entries not below `from`, in order. */
export function newest(reads: Reads, list: PageList, name: string, limit: number, from = ''): string[] {
  const parts: string[][] = []
  let left = limit
  for (const page of pagesOf(reads, list, name, -1)) {
    if (left <= 0) break
    const start = Math.max(lowerBound(page, from), page.length - left)
    parts.push(page.slice(start))
    left -= page.length - start
    if (start > 0) break
  }
  return parts.length === 1 ? (parts[0] ?? []) : parts.reverse().flat()
}

/** The first `limit` entries, in order. */
export function oldest(reads: Reads, list: PageList, name: string, limit = Infinity): string[] {
  const out: string[] = []
  for (const page of pagesOf(reads, list, name, 1)) {
    if (out.length >= limit) break
    for (const entry of page.slice(0, limit - out.length)) out.push(entry)
  }
  return out
}

/** The highest entry, if there is one. */
export function lastIn(reads: Reads, list: PageList, name: string): string | undefined {
  for (const page of pagesOf(reads, list, name, -1)) return page.at(-1)
  return undefined
}

/** Drops the first page if all of it is below `bound`: old entries go a page at a time, a little with every fact. */
export function dropOldPage(tx: Tx, list: PageList, name: string, bound: () => string): void {
  const top = tx.get(list.tops, name)
  if (top === undefined) return
  const [chapter] = chaptersOf(tx, list, name, top)
  const firsts = promised(chapter?.firsts, 'a list without pages')
  const second = firsts[1] ?? top.marks.find((mark) => mark !== chapter?.mark)
  if (chapter === undefined || second === undefined || second > bound()) return
  top.total -= pageAt(tx, list, name, firsts, 0).length
  tx.delete(list.pages, pageName(name, firsts[0] ?? ''))
  dropFirstPage(tx, list, name, top, chapter)
  keepTop(tx, list, name, top)
}

export function dropList(tx: Tx, list: PageList, name: string): void {
  const top = tx.get(list.tops, name)
  if (top === undefined) return
  for (const chapter of chaptersOf(tx, list, name, top)) {
    for (const first of chapter.firsts) tx.delete(list.pages, pageName(name, first))
    tx.delete(list.chapters, chapterName(name, chapter.mark))
  }
  tx.delete(list.tops, name)
}

/** Forwards from the first or backwards from the last, each opened when it is asked for. */
function* pagesOf(reads: Reads, list: PageList, name: string, step: 1 | -1): Generator<string[]> {
  const top = reads.get(list.tops, name)
  if (top === undefined) return
  const marks = [NO_MARK, ...top.marks]
  for (let n = step > 0 ? 0 : marks.length - 1; n >= 0 && n < marks.length; n += step) {
    const { firsts } = chapterOf(reads, list, name, top, marks[n] ?? NO_MARK)
    for (let slot = step > 0 ? 0 : firsts.length - 1; slot >= 0 && slot < firsts.length; slot += step)
      yield pageAt(reads, list, name, firsts, slot)
  }
}

function pageAt(
  reads: Reads,
  list: PageList,
  name: string,
  firsts: readonly string[],
  slot: number,
): string[] {
  const first = promised(firsts[slot], 'an index without pages')
  return promised(reads.get(list.pages, pageName(name, first)), 'a page is missing')
}

function insertIntoChapter(tx: Tx, list: PageList, name: string, chapter: Chapter, entry: string): boolean {
  const { firsts } = chapter
  if (firsts.length === 0) {
    replacePages(tx, list, name, chapter, 0, 0, [[entry]])
    return true
  }
  const slot = slotFor(firsts, entry)
  const page = pageAt(tx, list, name, firsts, slot)
  const place = lowerBound(page, entry)
  if (page[place] === entry) return false
  if (staysInPage(list, firsts, slot, page, place, entry)) {
    if (place === page.length) page.push(entry)
    else page.splice(place, 0, entry)
    tx.put(list.pages, pageName(name, firsts[slot] ?? ''), page)
    return true
  }
  const rest = entriesToRunEnd(tx, list, name, firsts, slot)
  rest.splice(place, 0, entry)
  // Inside a run nothing else begins one than the new entry, or what was first until now.
  const at = Math.max(place, 1)
  const runs = beginsRun(rest[at] ?? entry, list.size) && at < rest.length ? [at] : []
  const gone = endOfRun(list, firsts, slot) - slot
  replacePages(tx, list, name, chapter, slot, gone, cutPages(rest, list.size, runs))
  return true
}

function removeFromChapter(
  tx: Tx,
  list: PageList,
  name: string,
  chapter: Chapter,
  entry: string,
  page: string[],
  place: number,
): void {
  const { firsts } = chapter
  const slot = slotFor(firsts, entry)
  const joins = slot > 0 && beginsRun(entry, list.size)
  if (page.length > 1 && isLastOfRun(list, firsts, slot) && !(place === 0 && joins)) {
    page.splice(place, 1)
    if (place > 0 || firsts[slot] === FIRST_PAGE) tx.put(list.pages, pageName(name, firsts[slot] ?? ''), page)
    else replacePages(tx, list, name, chapter, slot, 1, [page])
    return
  }
  // Without its beginning a run goes on where the one before it ends.
  const from = joins ? slot - 1 : slot
  const rest = joins ? [...pageAt(tx, list, name, firsts, from)] : []
  for (const other of entriesToRunEnd(tx, list, name, firsts, slot)) if (other !== entry) rest.push(other)
  const gone = endOfRun(list, firsts, slot) - from
  replacePages(tx, list, name, chapter, from, gone, cutPages(rest, list.size, []))
}

/** Most insertions: into the last page of a run, which has room, behind its first entry. */
function staysInPage(
  list: PageList,
  firsts: readonly string[],
  slot: number,
  page: readonly string[],
  place: number,
  entry: string,
): boolean {
  return (
    page.length < list.size && place > 0 && isLastOfRun(list, firsts, slot) && !beginsRun(entry, list.size)
  )
}

/** Only the last page of a run may have room. A chapter ends with a run. */
function isLastOfRun(list: PageList, firsts: readonly string[], slot: number): boolean {
  const next = firsts[slot + 1]
  return next === undefined || beginsRun(next, list.size)
}

function endOfRun(list: PageList, firsts: readonly string[], slot: number): number {
  let end = slot
  while (!isLastOfRun(list, firsts, end)) end++
  return end + 1
}

function entriesToRunEnd(
  tx: Tx,
  list: PageList,
  name: string,
  firsts: readonly string[],
  slot: number,
): string[] {
  const out: string[] = []
  const end = endOfRun(list, firsts, slot)
  for (let each = slot; each < end; each++) out.push(...pageAt(tx, list, name, firsts, each))
  return out
}

/** Puts `pages` in the place of `gone` others from `slot` on. */
function replacePages(
  tx: Tx,
  list: PageList,
  name: string,
  chapter: Chapter,
  slot: number,
  gone: number,
  pages: readonly string[][],
): void {
  const firsts = pages.map((page) => promised(page[0], 'an empty page'))
  if (slot === 0 && chapter.mark === NO_MARK && firsts.length > 0) firsts[0] = FIRST_PAGE
  for (const first of chapter.firsts.splice(slot, gone, ...firsts))
    if (!firsts.includes(first)) tx.delete(list.pages, pageName(name, first))
  pages.forEach((page, i) => tx.put(list.pages, pageName(name, firsts[i] ?? ''), page))
  keepChapter(tx, list, name, chapter)
}

/** The page an entry belongs into: the last that begins at or below it. */
function slotFor(firsts: readonly string[], entry: string): number {
  const after = lowerBound(firsts, entry)
  return firsts[after] === entry ? after : Math.max(0, after - 1)
}
