import type { FactOf, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import { orderKey, timePrefix } from '../lists/order.js'
import { countOf, insertInto, newest, oldest, pageList, removeFrom } from '../lists/page-list.js'
import type { ConversationRow, MessageRow } from '../view.js'
import { messageRow } from './messages.js'
import { PROJECTION } from './numbers.js'

const PAGE_SIZE = 64
/** 12 digits of time and 32 of check code stand before the message ID. */
const ID_AT = 44

const conversationTable = table<ConversationRow>(PROJECTION.conversations, 1)
const people: NameList = table(PROJECTION.conversations, 2)
const all = pageList(PROJECTION.conversations, 3, PAGE_SIZE)
const unseen = pageList(PROJECTION.conversations, 5, PAGE_SIZE)

export function conversationRows(reads: Reads): readonly ConversationRow[] {
  return namesIn(reads, people).map((id) =>
    promised(reads.get(conversationTable, id), 'a conversation is missing'),
  )
}

export function newestIn(reads: Reads, id: UserId, limit: number, since: number): readonly MessageRow[] {
  return newest(reads, all, id, limit, timePrefix(since)).map((entry) =>
    promised(messageRow(reads, entry.slice(ID_AT)), 'a message is missing'),
  )
}

/** The same, as IDs: only pages are opened. */
export function newestIdsIn(reads: Reads, id: UserId, limit: number, since: number): readonly MessageId[] {
  return newest(reads, all, id, limit, timePrefix(since)).map((entry) => entry.slice(ID_AT))
}

export function unseenIn(reads: Reads, id: UserId): readonly MessageId[] {
  return oldest(reads, unseen, id).map((entry) => entry.slice(ID_AT))
}

/** Ordered by time stamp, then check code, whatever the order of arrival; what `messages` left out is not listed. */
function listed({ data }: FactOf<'MessageQueued' | 'MessageReceived'>, tx: Tx): void {
  const row = messageRow(tx, data.messageId)
  if (row === undefined || data.kind !== 'text') return
  if (!insertInto(tx, all, row.with, entryOf(row))) return
  if (!row.shown) insertInto(tx, unseen, row.with, entryOf(row))
  addName(tx, people, row.with)
  count(tx, row.with, row.orderedAt)
}

function messagesShown({ data }: FactOf<'MessagesShown'>, tx: Tx): void {
  for (const id of data.messageIds) {
    const row = messageRow(tx, id)
    if (row?.with === data.from) removeFrom(tx, unseen, row.with, entryOf(row))
  }
  if (tx.get(conversationTable, data.from) !== undefined) count(tx, data.from, 0)
}

function count(tx: Tx, id: UserId, at: number): void {
  const lastAt = Math.max(at, tx.get(conversationTable, id)?.lastAt ?? 0)
  const row = { with: id, messages: countOf(tx, all, id), unread: countOf(tx, unseen, id), lastAt }
  tx.put(conversationTable, id, row)
}

function entryOf(row: MessageRow): string {
  return orderKey(row.orderedAt, row.checkCode, row.messageId)
}

/** Who said what after what, and what of it was not yet seen. It outlives the contact. */
export const conversations = fold({
  name: 'conversations',
  number: PROJECTION.conversations,
  version: 2,
  on: { MessageQueued: listed, MessageReceived: listed, MessagesShown: messagesShown },
})
