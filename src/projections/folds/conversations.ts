import type { FactOf, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn, removeName } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import { timeOf, timePrefix } from '../lists/order.js'
import { countOf, insertInto, lastIn, newest, oldest, removeFrom } from '../lists/page-list.js'
import type { ConversationRow, MessageRow } from '../view.js'
import { ID_AT, all, entryOf, unseen } from './conversation-lists.js'
import { messageRow } from './message-row.js'
import { broughtBy } from './messages.js'
import { PROJECTION } from './numbers.js'

const conversationTable = table<ConversationRow>(PROJECTION.conversations, 1)
const people: NameList = table(PROJECTION.conversations, 2)

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

/** The same, as IDs and times: only pages are opened. */
export function newestIdsIn(
  reads: Reads,
  id: UserId,
  limit: number,
  since: number,
): readonly Pick<MessageRow, 'messageId' | 'orderedAt'>[] {
  return newest(reads, all, id, limit, timePrefix(since)).map((entry) => ({
    messageId: entry.slice(ID_AT),
    orderedAt: timeOf(entry),
  }))
}

export function unseenIn(reads: Reads, id: UserId): readonly MessageId[] {
  return oldest(reads, unseen, id).map((entry) => entry.slice(ID_AT))
}

/** Ordered by time stamp, then check code, whatever the order of arrival. */
function listed(fact: FactOf<'MessageQueued' | 'MessageReceived'>, tx: Tx): void {
  const row = broughtBy(tx, fact)
  if (row === undefined) return
  insertInto(tx, all, row.with, entryOf(row))
  if (!row.shown) insertInto(tx, unseen, row.with, entryOf(row))
  const known = tx.get(conversationTable, row.with)
  if (known === undefined) addName(tx, people, row.with)
  count(tx, row.with, Math.max(row.orderedAt, known?.lastAt ?? 0))
}

function messagesShown({ data }: FactOf<'MessagesShown'>, tx: Tx): void {
  for (const id of data.messageIds) {
    const row = messageRow(tx, id)
    if (row?.with === data.from) removeFrom(tx, unseen, row.with, entryOf(row))
  }
  const known = tx.get(conversationTable, data.from)
  if (known !== undefined) count(tx, data.from, known.lastAt)
}

/** The conversation as if they had never come; without any message there is none. */
function contentForgotten({ data }: FactOf<'ContentForgotten'>, tx: Tx): void {
  for (const { messageId } of data.letters) {
    const row = messageRow(tx, messageId)
    if (row === undefined) continue
    removeFrom(tx, all, row.with, entryOf(row))
    removeFrom(tx, unseen, row.with, entryOf(row))
    const last = lastIn(tx, all, row.with)
    if (last !== undefined) count(tx, row.with, timeOf(last))
    else end(tx, row.with)
  }
}

function count(tx: Tx, id: UserId, lastAt: number): void {
  const row = { with: id, messages: countOf(tx, all, id), unread: countOf(tx, unseen, id), lastAt }
  tx.put(conversationTable, id, row)
}

function end(tx: Tx, id: UserId): void {
  tx.delete(conversationTable, id)
  removeName(tx, people, id)
}

/**
 * Who said what after what, and what of it was not yet seen. It outlives the contact. Runs before `messages`, whose rows
 * it looks up when they are forgotten.
 */
export const conversations = fold({
  name: 'conversations',
  number: PROJECTION.conversations,
  version: 3,
  on: {
    MessageQueued: listed,
    MessageReceived: listed,
    MessagesShown: messagesShown,
    ContentForgotten: contentForgotten,
  },
})
