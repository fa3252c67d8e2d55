import type { Fact, MessageId } from '../../events/vocabulary/facts.js'
import { isSottoError } from '../../foundation/errors.js'
import type { ContactRow, OutboxRow } from '../../projections/view.js'
import { sealLetter } from '../letters/letter.js'
import { mayExpire } from './clock.js'
import { WINDOW } from './handed-out.js'
import type { Link } from './link.js'
import type { Turn } from './turn.js'

/** Receivers refuse letters older than this (SPEC § 7.2). */
const MAX_AGE_MS = 60 * 86_400_000
const EXPIRED = 'expired'

/**
 * Hands letters of the to-be-sent table to an established link: first those it has not carried, in the table's order,
 * then those due again, acceptances first. The table is the only to-do list: a new link sends again all that is not
 * acknowledged, and what the other side refuses stays in nobody's way.
 */
export function pump(turn: Turn, link: Link): void {
  const row = turn.view.contact(link.who)
  if (row === undefined) return
  const facts: Fact[] = []
  const expires = mayExpire(turn.node.clock)
  for (const letter of choose(turn, link)) {
    const tooOld = expires && letter.sentAt < turn.now - MAX_AGE_MS
    const fact = tooOld ? giveUp(turn, letter, EXPIRED) : hand(turn, link, row, letter)
    if (fact !== null) facts.push(fact)
  }
  link.inFlight.rest(turn.now)
  turn.append(facts)
}

function choose(turn: Turn, link: Link): readonly OutboxRow[] {
  const { inFlight, who } = link
  const room = inFlight.room(turn.now)
  const rows = turn.view
    .outbox(who, inFlight.size + turn.node.delivering.size + WINDOW)
    .filter(({ messageId }) => !turn.node.delivering.has(messageId))
  const first = rows.filter(({ messageId }) => !inFlight.has(messageId)).slice(0, Math.max(0, room.first))
  const due = ({ messageId }: OutboxRow) => inFlight.dueAt(messageId, turn.now)
  const again = rows
    .filter((letter) => due(letter) <= turn.now)
    .sort((a, b) => rank(a) - rank(b) || due(a) - due(b))
  return [...first, ...again.slice(0, Math.max(0, room.again))]
}

function rank({ kind }: OutboxRow): number {
  return kind === 'friend-accept' ? 0 : 1
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
  link.inFlight.add(letter.messageId, turn.now)
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
