import type { Fact, MessageId } from '../../events/vocabulary/facts.js'
import { isSottoError } from '../../foundation/errors.js'
import type { ContactRow, OutboxRow } from '../../projections/view.js'
import { sealLetter } from '../letters/letter.js'
import type { Link } from './link.js'
import type { Turn } from './turn.js'

/** Letters on a link that are not acknowledged yet. */
export const WINDOW = 32
/** Receivers refuse letters older than this (SPEC § 7.2). */
const MAX_AGE_MS = 60 * 86_400_000
const EXPIRED = 'expired'

/**
 * Hands letters of the to-be-sent table to an established link, oldest first, up to the window. The table is the only
 * to-do list: what is in flight on this link is left out, so that a new link sends again all that is not acknowledged.
 */
export function pump(turn: Turn, link: Link): void {
  const row = turn.view.contact(link.who)
  if (row === undefined || link.inFlight.size >= WINDOW) return
  const facts: Fact[] = []
  for (const letter of turn.view.outbox(link.who, 2 * WINDOW)) {
    if (link.inFlight.size >= WINDOW) break
    if (link.inFlight.has(letter.messageId) || turn.node.delivering.has(letter.messageId)) continue
    const fact =
      letter.sentAt < turn.now - MAX_AGE_MS ? giveUp(turn, letter, EXPIRED) : hand(turn, link, row, letter)
    if (fact !== null) facts.push(fact)
  }
  turn.append(facts)
}

/** `delivered` means durable at the other side. Only what this link carried can be acknowledged on it. */
export function acknowledged(turn: Turn, link: Link, messageId: MessageId, what: 'delivered' | 'read'): void {
  if (what === 'read') {
    readAt(turn, link, messageId)
    return
  }
  if (!link.inFlight.delete(messageId)) return
  if (!turn.node.delivering.has(messageId)) {
    turn.node.delivering.add(messageId)
    turn.append([{ type: 'MessageDelivered', data: { messageId, to: link.who } }])
  }
  pump(turn, link)
}

/** A text of ours that `to` says to have seen; only texts that went to them count. */
export function readFact(turn: Turn, to: string, messageId: MessageId): Fact | null {
  const message = turn.view.message(messageId)
  if (message === undefined || message.direction !== 'out' || message.with !== to) return null
  return message.state === 'read' ? null : { type: 'MessageRead', data: { messageId, to } }
}

function readAt(turn: Turn, link: Link, messageId: MessageId): void {
  const fact = readFact(turn, link.who, messageId)
  if (fact !== null) turn.append([fact])
}

/** A letter that cannot be written as bytes is given up: it must not stand in the way of those behind it. */
function hand(turn: Turn, link: Link, row: ContactRow, letter: OutboxRow): Fact | null {
  try {
    link.send(turn, { type: 'letter', bytes: seal(turn, row, letter) })
  } catch (error) {
    if (!isSottoError(error)) throw error
    return error.code === 'gate-denied' ? null : giveUp(turn, letter, error.code)
  }
  link.inFlight.add(letter.messageId)
  if (letter.state === 'sent') return null
  return { type: 'MessageSent', data: { messageId: letter.messageId, to: letter.to, how: 'link' } }
}

function seal(turn: Turn, row: ContactRow, message: OutboxRow): Uint8Array {
  const { node, vault, now, rng } = turn
  const known = node.letterKeys.get(row.id) ?? null
  const { letter, keys } = sealLetter({ vault, row, keys: known, message, now, rng })
  node.letterKeys.set(row.id, keys)
  return letter
}

function giveUp(turn: Turn, { messageId, to }: OutboxRow, reason: string): Fact {
  turn.node.delivering.add(messageId)
  return { type: 'MessageFailed', data: { messageId, to, reason } }
}
