import type { FactOf, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { clampedTime } from '../lists/order.js'
import type { MessageRow, MessageState, TrailStep } from '../view.js'
import { contactRow } from './contact-row.js'
import { isKnown } from './dedupe.js'
import { dropMessage, messageRow, saveMessage } from './message-row.js'
import { PROJECTION } from './numbers.js'
import { outboxRow, pendingFor } from './outbox-row.js'

type Arrival = 'MessageQueued' | 'MessageReceived'

/** A state only moves to a higher rank: a late acknowledgement counts even after a failure, a late failure does not. */
const RANK: Readonly<Record<MessageState, number>> = {
  queued: 0,
  sent: 1,
  failed: 2,
  delivered: 3,
  read: 4,
  received: 5,
}

/**
 * The row that a letter brings: none if it is no text, or is known. The ID tells letters apart (SPEC § 7.2): the second
 * of the same changes nothing, be the first a text, a control letter or forgotten.
 */
export function broughtBy(reads: Reads, fact: FactOf<Arrival>): MessageRow | undefined {
  const { data, at, seq } = fact
  if (data.kind !== 'text' || isKnown(reads, data.messageId, data.sentAt)) return undefined
  if (fact.type === 'MessageQueued' && outboxRow(reads, data.messageId) !== undefined) return undefined
  const mine = fact.type === 'MessageQueued'
  // Each property by name: adding to a spread copy costs V8 fifty times as much, and this is done for every message.
  return {
    messageId: data.messageId,
    text: data.body.text,
    sentAt: data.sentAt,
    orderedAt: clampedTime(data.sentAt, at),
    checkCode: data.checkCode,
    seqs: [seq],
    direction: mine ? 'out' : 'in',
    with: mine ? fact.data.to : fact.data.from,
    state: mine ? 'queued' : 'received',
    shown: mine,
    trail: [mine ? { at, what: 'queued' } : { at, what: 'received', how: fact.data.how }],
  }
}

/** The row remembers every record under its ID, so that forgetting it forgets them all. */
function arrived(fact: FactOf<Arrival>, tx: Tx): void {
  const known = messageRow(tx, fact.data.messageId)
  const row = known === undefined ? broughtBy(tx, fact) : { ...known, seqs: [...known.seqs, fact.seq] }
  if (row !== undefined) saveMessage(tx, row)
}

/** What happens to a message of ours can be told only by, and about, the person it went to. */
function advance(tx: Tx, id: MessageId, to: UserId, state: MessageState, at: number, how?: string): void {
  const row = messageRow(tx, id)
  if (row?.direction !== 'out' || row.with !== to) return
  const step = { at, what: state, ...(how === undefined ? {} : { how }) }
  const forward = RANK[state] > RANK[row.state]
  if (!forward && !isAnotherWay(row, step)) return
  saveMessage(tx, { ...row, state: forward ? state : row.state, trail: [...row.trail, step] })
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
    saveMessage(tx, { ...row, state: 'queued', trail: [...row.trail, { at, what: 'requeued' }] })
  }
}

function messagesShown({ data, at }: FactOf<'MessagesShown'>, tx: Tx): void {
  for (const id of data.messageIds) {
    const row = messageRow(tx, id)
    if (row?.direction !== 'in' || row.with !== data.from || row.shown) continue
    saveMessage(tx, { ...row, shown: true, trail: [...row.trail, { at, what: 'shown' }] })
  }
}

/** What waited for someone who was removed will never go out, and says so. */
function contactRemoved({ data, at }: FactOf<'ContactRemoved'>, tx: Tx): void {
  for (const { messageId } of pendingFor(tx, data.id))
    advance(tx, messageId, data.id, 'failed', at, 'removed')
}

/** As if it had never come. Runs last of those that look up what they take out of their lists. */
function contentForgotten({ data }: FactOf<'ContentForgotten'>, tx: Tx): void {
  for (const { messageId } of data.letters) dropMessage(tx, messageId)
}

/** Every text by its ID, with its state and how it got there. */
export const messages = fold({
  name: 'messages',
  number: PROJECTION.messages,
  version: 4,
  on: {
    MessageQueued: arrived,
    MessageReceived: arrived,
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
    ContentForgotten: contentForgotten,
  },
})
