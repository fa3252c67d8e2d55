import type { Fact } from '../../events/vocabulary/facts.js'
import { examineLetter, finishLetter, type LetterOutcome, type OpenedMessage } from '../letters/letter.js'
import { drop } from './carriers.js'
import { consequences } from './consequences.js'
import { WINDOW } from './handed-out.js'
import type { Link } from './link.js'
import { openOaep } from './openings.js'
import { complain } from './standing.js'
import type { Turn } from './turn.js'

/** Twice what an honest sender has on the way. */
const MAX_ARRIVALS = 2 * WINDOW

/**
 * Letters that came over one link, in the order they came. `busy`: one is being opened or changes what the next means;
 * so a contact has one private operation at a time, and the letters that share its secret need none of their own.
 */
export interface Arrivals {
  readonly letters: Uint8Array[]
  busy: boolean
}

export function noArrivals(): Arrivals {
  return { letters: [], busy: false }
}

export function arrived(turn: Turn, link: Link, letter: Uint8Array): void {
  if (link.arrivals.letters.length >= MAX_ARRIVALS) {
    drop(turn, link)
    return
  }
  link.arrivals.letters.push(letter)
  advance(turn, link)
}

function advance(turn: Turn, link: Link): void {
  while (!link.arrivals.busy) {
    const letter = link.arrivals.letters.shift()
    if (letter === undefined) return
    open(turn, link, letter)
  }
}

function open(turn: Turn, link: Link, letter: Uint8Array): void {
  const row = turn.view.contact(link.who)
  if (row === undefined) return
  const { vault, now } = turn
  const examined = examineLetter({ vault, row, letter, now, cache: turn.node.letterCache })
  if (examined.kind === 'refused') {
    refused(turn, link, examined.reason)
    return
  }
  if (examined.kind === 'ready') {
    take(turn, link, examined.outcome)
    return
  }
  link.arrivals.busy = true
  openOaep(turn, examined.ciphertext, examined.label, (later, secret) => {
    link.arrivals.busy = false
    take(later, link, finishLetter(examined.pending, secret))
    goOn(later, link)
  })
}

/** Letters of a link that has ended wait for their sender to bring them again. */
function goOn(turn: Turn, link: Link): void {
  if (turn.node.carriers.get(link.id) === link) advance(turn, link)
}

function take(turn: Turn, link: Link, outcome: LetterOutcome): void {
  if (outcome.kind === 'refused') {
    refused(turn, link, outcome.reason)
    return
  }
  if (outcome.kind === 'md5-incorrect') {
    complain(turn, link.who, 'letter', 'MD5 incorrect')
    return
  }
  keep(turn, link, outcome.message)
}

/** Too old and of a later version are honest; the rest is not what a contact sends. */
function refused(turn: Turn, link: Link, reason: string): void {
  if (reason !== 'too-old' && reason !== 'unknown-kind') complain(turn, link.who, 'letter', reason)
}

/** Shown once: a letter in the log already, or on its way into it, is only acknowledged. */
function keep(turn: Turn, link: Link, message: OpenedMessage): void {
  const { messageId, sentAt } = message
  if (turn.view.seen(messageId, sentAt)) {
    acknowledge(turn, link, message)
    return
  }
  if (turn.node.receiving.has(messageId) || !mayWrite(turn, link, message)) return
  const following = consequences(turn, link.who, message)
  turn.node.receiving.add(messageId)
  if (following.length > 0) link.arrivals.busy = true
  turn.append([received(link, message), ...following], (later) => {
    later.node.receiving.delete(messageId)
    acknowledge(later, link, message)
    if (following.length === 0) return
    link.arrivals.busy = false
    goOn(later, link)
  })
}

/** Who has not accepted our request yet has one thing to say. */
function mayWrite(turn: Turn, link: Link, message: OpenedMessage): boolean {
  const state = turn.view.contact(link.who)?.state
  return state === 'friend' || (state === 'requested' && message.kind === 'friend-accept')
}

function received(link: Link, message: OpenedMessage): Fact {
  return { type: 'MessageReceived', data: { ...message, from: link.who, how: 'link' } }
}

/** Over the contact's link of this moment, which need not be the one it came by. */
function acknowledge(turn: Turn, link: Link, { messageId }: OpenedMessage): void {
  turn.node.links.get(link.who)?.send(turn, { type: 'ack', messageId, what: 'delivered' })
}
