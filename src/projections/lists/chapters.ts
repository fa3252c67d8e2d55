import { promised } from '../engine/damage.js'
import type { Reads, Table, Tx } from '../engine/fold.js'
import { nameBelow } from './row-names.js'
import { lowerBound } from './sorted.js'

/** What a list comes to: entries, and the entries at which chapters begin; before these is one without a mark. */
export interface Top {
  total: number
  readonly marks: string[]
}

/**
 * A stretch of the index: the first entry of each of its pages, which names the page. The first page of the list is named
 * FIRST_PAGE instead: it keeps its name while entries go at the front, as they do in queues.
 */
export interface Chapter {
  readonly mark: string
  readonly firsts: string[]
}

/** Where the index of a kind of lists is kept. */
export interface Index {
  readonly pages: Table<string[]>
  readonly chapters: Table<Chapter>
  readonly tops: Table<Top>
}

/** Before any mark. Such a chapter has no row when it has no pages. */
export const NO_MARK = ''
/** Below every entry. */
export const FIRST_PAGE = ''

export function pageName(name: string, first: string): string {
  return nameBelow(name, first)
}

export function chapterName(name: string, mark: string): string {
  return nameBelow(name, mark)
}

/** The chapter an entry belongs into: the last whose mark is not above it. */
export function chapterOf(reads: Reads, index: Index, name: string, { marks }: Top, entry: string): Chapter {
  const after = lowerBound(marks, entry)
  const mark = marks[after] === entry ? entry : (marks[after - 1] ?? NO_MARK)
  const chapter = reads.get(index.chapters, chapterName(name, mark))
  if (chapter === undefined && mark === NO_MARK) return { mark, firsts: [] }
  return promised(chapter, 'a chapter is missing')
}

/** In order, without the one that has no pages. */
export function* chaptersOf(reads: Reads, index: Index, name: string, top: Top): Generator<Chapter> {
  for (const mark of [NO_MARK, ...top.marks]) {
    const chapter = chapterOf(reads, index, name, top, mark)
    if (chapter.firsts.length > 0) yield chapter
  }
}

export function keepTop(tx: Tx, index: Index, name: string, top: Top): void {
  if (top.total === 0) tx.delete(index.tops, name)
  else tx.put(index.tops, name, top)
}

export function keepChapter(tx: Tx, index: Index, name: string, chapter: Chapter): void {
  if (chapter.mark === NO_MARK) renameFirst(tx, index, name, chapter, FIRST_PAGE)
  const at = chapterName(name, chapter.mark)
  if (chapter.firsts.length === 0) tx.delete(index.chapters, at)
  else tx.put(index.chapters, at, chapter)
}

function renameFirst(tx: Tx, index: Index, name: string, { firsts }: Chapter, to: string): void {
  const [from] = firsts
  if (from === undefined || from === to) return
  const page = promised(tx.get(index.pages, pageName(name, from)), 'a page is missing')
  tx.delete(index.pages, pageName(name, from))
  tx.put(index.pages, pageName(name, to), page)
  firsts[0] = to
}

/** A chapter begins at `mark`, which is the first entry of one of the pages. */
export function split(tx: Tx, index: Index, name: string, top: Top, chapter: Chapter, mark: string): void {
  const [first] = tx.get(index.pages, pageName(name, FIRST_PAGE)) ?? []
  if (first === mark) renameFirst(tx, index, name, chapter, mark)
  const firsts = chapter.firsts.splice(lowerBound(chapter.firsts, mark))
  keepChapter(tx, index, name, chapter)
  keepChapter(tx, index, name, { mark, firsts })
  top.marks.splice(lowerBound(top.marks, mark), 0, mark)
}

/** A chapter that loses its mark goes on where the one before it ends. */
export function join(tx: Tx, index: Index, name: string, top: Top, { mark, firsts }: Chapter): Chapter {
  top.marks.splice(lowerBound(top.marks, mark), 1)
  tx.delete(index.chapters, chapterName(name, mark))
  const before = chapterOf(tx, index, name, top, mark)
  before.firsts.push(...firsts)
  keepChapter(tx, index, name, before)
  return before
}

/** The first page of a list went, and with it the mark of its chapter. */
export function dropFirstPage(tx: Tx, index: Index, name: string, top: Top, chapter: Chapter): void {
  const firsts = chapter.firsts.slice(1)
  if (chapter.mark !== NO_MARK) {
    top.marks.shift()
    tx.delete(index.chapters, chapterName(name, chapter.mark))
  }
  keepChapter(tx, index, name, { mark: NO_MARK, firsts })
}
