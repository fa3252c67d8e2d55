import type { MessageId, UserId } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn, removeName } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import { orderKey } from '../lists/order.js'
import { countOf, insertInto, oldest, pageList, removeFrom } from '../lists/page-list.js'
import type { OutboxRow } from '../view.js'
import { PROJECTION } from './numbers.js'

const PAGE_SIZE = 64
/** A digit of rank, 12 of time and 32 of check code stand before the message ID. */
const ID_AT = 45

const letterTable = table<OutboxRow>(PROJECTION.outbox, 1)
const peers: NameList = table(PROJECTION.outbox, 2)
const queues = pageList(PROJECTION.outbox, 3, PAGE_SIZE)

export function outboxRow(reads: Reads, id: MessageId): OutboxRow | undefined {
  return reads.get(letterTable, id)
}

/** In the order of `OutboxRow`s that the view promises: rank, time stamp, check code. */
export function pendingFor(reads: Reads, to: UserId, limit?: number): readonly OutboxRow[] {
  return oldest(reads, queues, to, limit).map((entry) =>
    promised(outboxRow(reads, entry.slice(ID_AT)), 'a letter is missing'),
  )
}

export function outboxPeers(reads: Reads): readonly { readonly id: UserId; readonly pending: number }[] {
  return namesIn(reads, peers).map((id) => ({ id, pending: countOf(reads, queues, id) }))
}

export function enqueue(tx: Tx, row: OutboxRow): void {
  tx.put(letterTable, row.messageId, row)
  if (countOf(tx, queues, row.to) === 0) addName(tx, peers, row.to)
  insertInto(tx, queues, row.to, entryOf(row))
}

export function markSent(tx: Tx, row: OutboxRow): void {
  if (row.state !== 'sent') tx.put(letterTable, row.messageId, letterRow(row, 'sent'))
}

/** Each property by name, for the reason given in `broughtBy`; kind and body belong together as they did. */
export function letterRow(letter: Omit<OutboxRow, 'state'>, state: OutboxRow['state']): OutboxRow {
  const { messageId, checkCode, to, sentAt, kind, body } = letter
  return { messageId, checkCode, to, sentAt, kind, body, state } as OutboxRow
}

export function dequeue(tx: Tx, row: OutboxRow): void {
  tx.delete(letterTable, row.messageId)
  removeFrom(tx, queues, row.to, entryOf(row))
  if (countOf(tx, queues, row.to) === 0) removeName(tx, peers, row.to)
}

function entryOf(row: OutboxRow): string {
  return rankOf(row) + orderKey(row.sentAt, row.checkCode, row.messageId)
}

/** Whoever has not heard that they were accepted takes nothing else, and texts are many. */
function rankOf({ kind }: OutboxRow): string {
  if (kind === 'text') return '2'
  return kind === 'friend-accept' ? '0' : '1'
}
