import type { FactOf, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import type { OutboxRow } from '../view.js'
import { contactRow } from './contact-row.js'
import { wasQueued } from './dedupe.js'
import { messageRow } from './messages.js'
import { PROJECTION } from './numbers.js'
import { dequeue, enqueue, markSent, outboxRow, pendingFor } from './outbox-row.js'

/** A letter enters once: not when it was queued before, nor under the ID of another one. */
function messageQueued({ data }: FactOf<'MessageQueued'>, tx: Tx): void {
  if (isForNobody(tx, data)) return
  if (wasQueued(tx, data.checkCode, data.sentAt) || outboxRow(tx, data.messageId) !== undefined) return
  if (isAnothersId(tx, data)) return
  enqueue(tx, { ...data, state: 'queued' })
}

/**
 * The node's own letters answer what someone was when it looked. Who is no friend when the letter reaches the log gets
 * none: it must not lie here until they are one again, and tell them of an acceptance that never was.
 */
function isForNobody(reads: Reads, { kind, to }: FactOf<'MessageQueued'>['data']): boolean {
  return kind !== 'text' && contactRow(reads, to)?.state !== 'friend'
}

function isAnothersId(reads: Reads, data: FactOf<'MessageQueued'>['data']): boolean {
  const known = messageRow(reads, data.messageId)
  if (known === undefined) return false
  return (
    known.direction !== 'out' || known.sentAt !== data.sentAt || !equalBytes(known.checkCode, data.checkCode)
  )
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

/** The to-be-sent table: every letter that still has to arrive, texts and control letters alike. */
export const outbox = fold({
  name: 'outbox',
  number: PROJECTION.outbox,
  version: 3,
  on: {
    MessageQueued: messageQueued,
    MessageSent: messageSent,
    MessageDelivered: settled,
    MessageRead: settled,
    MessageFailed: settled,
    MessagesRequeued: messagesRequeued,
    ContactRemoved: contactRemoved,
  },
})
