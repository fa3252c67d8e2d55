import type { FactOf, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { clampedTime } from '../lists/order.js'
import type { MessageRow, MessageState, TrailStep } from '../view.js'
import { contactRow } from './contact-row.js'
import { wasQueued, wasReceived } from './dedupe.js'
import { PROJECTION } from './numbers.js'
import { outboxRow, pendingFor } from './outbox-row.js'

const messageTable = table<MessageRow>(PROJECTION.messages, 1)

/** A state only moves to a higher rank: a late acknowledgement counts even after a failure, a late failure does not. */
const RANK: Readonly<Record<MessageState, number>> = {
  queued: 0,
  sent: 1,
  failed: 2,
  delivered: 3,
  read: 4,
  received: 5,
}

export function messageRow(reads: Reads, id: MessageId): MessageRow | undefined {
  return reads.get(messageTable, id)
}

/** The same letter or the same message ID a second time changes nothing, be it a control letter's that still waits. */
function messageQueued({ data, at }: FactOf<'MessageQueued'>, tx: Tx): void {
  if (data.kind !== 'text' || wasQueued(tx, data.checkCode, data.sentAt)) return
  if (outboxRow(tx, data.messageId) !== undefined) return
  addFirst(tx, {
    messageId: data.messageId,
    direction: 'out',
    with: data.to,
    text: data.body.text,
    sentAt: data.sentAt,
    orderedAt: clampedTime(data.sentAt, at),
    checkCode: data.checkCode,
    state: 'queued',
    shown: true,
    trail: [{ at, what: 'queued' }],
  })
}

function messageReceived({ data, at }: FactOf<'MessageReceived'>, tx: Tx): void {
  if (data.kind !== 'text' || wasReceived(tx, data.from, data.checkCode, data.sentAt)) return
  addFirst(tx, {
    messageId: data.messageId,
    direction: 'in',
    with: data.from,
    text: data.body.text,
    sentAt: data.sentAt,
    orderedAt: clampedTime(data.sentAt, at),
    checkCode: data.checkCode,
    state: 'received',
    shown: false,
    trail: [{ at, what: 'received', how: data.how }],
  })
}

function addFirst(tx: Tx, row: MessageRow): void {
  if (messageRow(tx, row.messageId) === undefined) tx.put(messageTable, row.messageId, row)
}

/** What happens to a message of ours can be told only by, and about, the person it went to. */
function advance(tx: Tx, id: MessageId, to: UserId, state: MessageState, at: number, how?: string): void {
  const row = messageRow(tx, id)
  if (row?.direction !== 'out' || row.with !== to) return
  const step = { at, what: state, ...(how === undefined ? {} : { how }) }
  const forward = RANK[state] > RANK[row.state]
  if (!forward && !isAnotherWay(row, step)) return
  tx.put(messageTable, id, { ...row, state: forward ? state : row.state, trail: [...row.trail, step] })
}

/** A message sent once more by another way keeps its state, but the trail says so, once for each way. */
function isAnotherWay(row: MessageRow, step: TrailStep): boolean {
  if (row.state !== 'sent' || step.what !== 'sent') return false
  return !row.trail.some(({ what, how }) => what === step.what && how === step.how)
}

/** A friend lost what was acknowledged: the text is on its way again, and the trail keeps that it was there. */
function messagesRequeued({ data, at }: FactOf<'MessagesRequeued'>, tx: Tx): void {
  if (contactRow(tx, data.to)?.state !== 'friend') return
  for (const id of data.messageIds) {
    const row = messageRow(tx, id)
    if (row?.direction !== 'out' || row.with !== data.to) continue
    if (row.state !== 'delivered' && row.state !== 'read') continue
    tx.put(messageTable, id, { ...row, state: 'queued', trail: [...row.trail, { at, what: 'requeued' }] })
  }
}

function messagesShown({ data, at }: FactOf<'MessagesShown'>, tx: Tx): void {
  for (const id of data.messageIds) {
    const row = messageRow(tx, id)
    if (row?.direction !== 'in' || row.with !== data.from || row.shown) continue
    tx.put(messageTable, id, { ...row, shown: true, trail: [...row.trail, { at, what: 'shown' }] })
  }
}

/** What waited for someone who was removed will never go out, and says so. */
function contactRemoved({ data, at }: FactOf<'ContactRemoved'>, tx: Tx): void {
  for (const { messageId } of pendingFor(tx, data.id))
    advance(tx, messageId, data.id, 'failed', at, 'removed')
}

/** Every text by its ID, with its state and how it got there. */
export const messages = fold({
  name: 'messages',
  number: PROJECTION.messages,
  version: 2,
  on: {
    MessageQueued: messageQueued,
    MessageReceived: messageReceived,
    MessageSent: ({ data, at }: FactOf<'MessageSent'>, tx) =>
      advance(tx, data.messageId, data.to, 'sent', at, data.how),
    MessageDelivered: ({ data, at }: FactOf<'MessageDelivered'>, tx) =>
      advance(tx, data.messageId, data.to, 'delivered', at),
    MessageRead: ({ data, at }: FactOf<'MessageRead'>, tx) =>
      advance(tx, data.messageId, data.to, 'read', at),
    MessageFailed: ({ data, at }: FactOf<'MessageFailed'>, tx) =>
      advance(tx, data.messageId, data.to, 'failed', at, data.reason),
    MessagesRequeued: messagesRequeued,
    MessagesShown: messagesShown,
    ContactRemoved: contactRemoved,
  },
})
