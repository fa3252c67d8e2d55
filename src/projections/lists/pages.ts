/** Pages in a run, on average. Longer runs leave fewer pages half empty; shorter ones are cut anew at less cost. */
const PAGES_PER_RUN = 8
/** Runs in a chapter of the index, on average: some 10 KB of it for entries that are ordered by time. */
export const RUNS_PER_CHAPTER = 16
/** Entries end in an ID or a hash: this much of it tells them apart. */
const TAIL = 8
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
/** Makes another hash of the same bytes. */
const OTHER_OFFSET = 0x1b873593

/**
 * Whether an entry begins a run of pages, as one in `size · PAGES_PER_RUN` does: it follows from the entry alone, so
 * that what comes and goes elsewhere in the list moves no page beyond the next such entry.
 */
export function beginsRun(entry: string, size: number): boolean {
  return hashOf(entry, FNV_OFFSET) % (size * PAGES_PER_RUN) === 0
}

/** Whether it begins, beside a run, a chapter of the index, as one in `runs` of these does: from the entry alone too. */
export function beginsChapter(entry: string, size: number, runs: number): boolean {
  return beginsRun(entry, size) && hashOf(entry, OTHER_OFFSET) % runs === 0
}

function hashOf(entry: string, offset: number): number {
  let hash = offset
  for (let at = Math.max(0, entry.length - TAIL); at < entry.length; at++) {
    hash = Math.imul(hash ^ entry.charCodeAt(at), FNV_PRIME)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Cuts sorted entries into pages: one begins at each place in `runs`, in order, and after every `size` entries. */
export function cutPages(entries: readonly string[], size: number, runs: readonly number[]): string[][] {
  const pages: string[][] = []
  let from = 0
  for (const end of [...runs, entries.length]) {
    for (; from < end; from += size) pages.push(entries.slice(from, Math.min(from + size, end)))
    from = end
  }
  return pages
}
