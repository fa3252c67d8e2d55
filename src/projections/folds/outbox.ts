import type { FactOf, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import type { OutboxRow } from '../view.js'
import { contactRow } from './contact-row.js'
import { isKnown } from './dedupe.js'
import { messageRow } from './message-row.js'
import { PROJECTION } from './numbers.js'
import { dequeue, enqueue, letterRow, markSent, outboxRow, pendingFor } from './outbox-row.js'

/** A letter enters once, and not under the ID of another one. A text enters when `messages`, which runs before, took it in. */
function messageQueued({ data, seq }: FactOf<'MessageQueued'>, tx: Tx): void {
  const enters = data.kind === 'text' ? messageRow(tx, data.messageId)?.seqs[0] === seq : isNew(tx, data)
  if (enters) enqueue(tx, letterRow(data, 'queued'))
}

function isNew(reads: Reads, data: FactOf<'MessageQueued'>['data']): boolean {
  if (isForNobody(reads, data) || isKnown(reads, data.messageId, data.sentAt)) return false
  return outboxRow(reads, data.messageId) === undefined
}

/**
 * The node's own letters answer what someone was when it looked. Who is no friend when the letter reaches the log gets
 * none: it must not lie here until they are one again, and tell them of an acceptance that never was.
 */
function isForNobody(reads: Reads, { to }: FactOf<'MessageQueued'>['data']): boolean {
  return contactRow(reads, to)?.state !== 'friend'
}

/** Only the person a letter goes to can make it leave. */
function pending(tx: Tx, id: MessageId, to: UserId): OutboxRow | undefined {
  const row = outboxRow(tx, id)
  return row?.to === to ? row : undefined
}

/** Sent is not arrived: the letter stays until it is acknowledged. */
function messageSent({ data }: FactOf<'MessageSent'>, tx: Tx): void {
  const row = pending(tx, data.messageId, data.to)
  if (row !== undefined) markSent(tx, row)
}

/** Acknowledged, read or given up: nothing is left to send. */
function settled({ data }: FactOf<'MessageDelivered' | 'MessageRead' | 'MessageFailed'>, tx: Tx): void {
  const row = pending(tx, data.messageId, data.to)
  if (row !== undefined) dequeue(tx, row)
}

/** Only texts that `messages`, which runs before, has put back among the queued. */
function messagesRequeued({ data: { to, messageIds } }: FactOf<'MessagesRequeued'>, tx: Tx): void {
  for (const id of messageIds) {
    const row = messageRow(tx, id)
    if (row?.direction !== 'out' || row.with !== to || row.state !== 'queued') continue
    if (outboxRow(tx, id) !== undefined) continue
    const { messageId, checkCode, sentAt, text } = row
    enqueue(tx, { messageId, checkCode, to, sentAt, kind: 'text', body: { text }, state: 'queued' })
  }
}

/** Nothing is kept for someone who was removed. */
function contactRemoved({ data }: FactOf<'ContactRemoved'>, tx: Tx): void {
  for (const row of pendingFor(tx, data.id)) dequeue(tx, row)
}

/** What is forgotten is not sent any more. */
function contentForgotten({ data }: FactOf<'ContentForgotten'>, tx: Tx): void {
  for (const { messageId } of data.letters) {
    const row = outboxRow(tx, messageId)
    if (row !== undefined) dequeue(tx, row)
  }
}

/** The to-be-sent table: every letter that still has to arrive, texts and control letters alike. */
export const outbox = fold({
  name: 'outbox',
  number: PROJECTION.outbox,
  version: 4,
  on: {
    MessageQueued: messageQueued,
    MessageSent: messageSent,
    MessageDelivered: settled,
    MessageRead: settled,
    MessageFailed: settled,
    MessagesRequeued: messagesRequeued,
    ContactRemoved: contactRemoved,
    ContentForgotten: contentForgotten,
  },
})
