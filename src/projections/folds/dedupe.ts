import type { FactOf, UserId } from '../../events/vocabulary/facts.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { dropOldPage, holds, insertInto, pageList } from '../lists/page-list.js'
import { orderKey, timePrefix } from '../lists/order.js'
import { PROJECTION } from './numbers.js'

/** Letters older than 60 days are refused (SPEC § 7.2), so nothing that was forgotten here can come again. */
const KEPT_MS = 90 * 86_400_000
const PAGE_SIZE = 256
const ONLY_LIST = 'letters'

const letters = pageList(PROJECTION.dedupe, 1, PAGE_SIZE)
/** Stands in for our own ID, which a letter of ours does not carry. */
const MYSELF = ''

export function wasReceived(reads: Reads, from: UserId, checkCode: Uint8Array, sentAt: number): boolean {
  return holds(reads, letters, ONLY_LIST, orderKey(sentAt, checkCode, from))
}

export function wasQueued(reads: Reads, checkCode: Uint8Array, sentAt: number): boolean {
  return wasReceived(reads, MYSELF, checkCode, sentAt)
}

/** A letter is who sent it, its check code and its time stamp as sent; the first one counts, whatever comes later. */
function remember(tx: Tx, from: UserId, checkCode: Uint8Array, sentAt: number, at: number): void {
  insertInto(tx, letters, ONLY_LIST, orderKey(sentAt, checkCode, from))
  dropOldPage(tx, letters, ONLY_LIST, () => timePrefix(at - KEPT_MS))
}

/** Every letter of the last 90 days, text or not. Runs last: the other folds ask it what was there before the fact. */
export const dedupe = fold({
  name: 'dedupe',
  number: PROJECTION.dedupe,
  version: 2,
  on: {
    MessageQueued: ({ data, at }: FactOf<'MessageQueued'>, tx) =>
      remember(tx, MYSELF, data.checkCode, data.sentAt, at),
    MessageReceived: ({ data, at }: FactOf<'MessageReceived'>, tx) =>
      remember(tx, data.from, data.checkCode, data.sentAt, at),
  },
})
