import type { MessageId } from '../../events/vocabulary/facts.js'
import type { Reads } from '../engine/fold.js'
import { orderKey } from '../lists/order.js'
import { newest, pageList } from '../lists/page-list.js'
import type { MessageRow } from '../view.js'
import { PROJECTION } from './numbers.js'

const PAGE_SIZE = 64
/** 12 digits of time and 32 of check code stand before the message ID. */
export const ID_AT = 44

/** By the person they are with, in the order in which they are shown: all messages, and those not shown yet. */
export const all = pageList(PROJECTION.conversations, 3, PAGE_SIZE)
export const unseen = pageList(PROJECTION.conversations, 6, PAGE_SIZE)

export function entryOf(row: MessageRow): string {
  return orderKey(row.orderedAt, row.checkCode, row.messageId)
}

/** One of the newest messages with the same person, which is listed already. */
export function neighbourOf(reads: Reads, row: MessageRow): MessageId | undefined {
  const [one = '', other = ''] = newest(reads, all, row.with, 2)
  const entry = one.endsWith(row.messageId) ? other : one
  return entry === '' ? undefined : entry.slice(ID_AT)
}
