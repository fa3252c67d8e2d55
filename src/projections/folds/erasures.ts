import type { FactOf } from '../../events/vocabulary/facts.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { timePrefix } from '../lists/order.js'
import { insertInto, oldest, pageList, removeFrom } from '../lists/page-list.js'
import { PROJECTION } from './numbers.js'

const PAGE_SIZE = 256
const ONLY_LIST = 'records'

const records = pageList(PROJECTION.erasures, 1, PAGE_SIZE)

/** The first `limit` records that were forgotten and may still be on the disk, in order of seq. */
export function pendingErasures(reads: Reads, limit: number): readonly number[] {
  return oldest(reads, records, ONLY_LIST, limit).map((entry) => Number.parseInt(entry, 16))
}

/** Sequence numbers are below 2⁴⁸ as times are, and sort as they do. */
function entryOf(seq: number): string {
  return timePrefix(seq)
}

/** What was forgotten and has yet to be erased (SPEC § 4.7): whoever opens the log to write goes on with it. */
export const erasures = fold({
  name: 'erasures',
  number: PROJECTION.erasures,
  version: 1,
  on: {
    ContentForgotten: ({ data }: FactOf<'ContentForgotten'>, tx: Tx) => {
      for (const seq of data.seqs) insertInto(tx, records, ONLY_LIST, entryOf(seq))
    },
    ContentErased: ({ data }: FactOf<'ContentErased'>, tx: Tx) => {
      for (const seq of data.seqs) removeFrom(tx, records, ONLY_LIST, entryOf(seq))
    },
  },
})
