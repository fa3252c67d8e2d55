import { type CheckAnswer, verifyAnswer } from '../presence/check.js'
import { drop } from './carriers.js'
import type { Link } from './link.js'
import { ifAllowed } from './standing.js'
import type { Turn } from './turn.js'

const NONCE_BYTES = 32
const ANSWER_WITHIN_MS = 5_000

/** A status check under way on a link (SPEC § 6.5, frames 3 and 4). */
export interface LinkCheck {
  readonly nonce: Uint8Array
  readonly deadline: number
  passed(turn: Turn): void
}

/** Sends test information. No answer in time, or a wrong one, ends the link: its end is the failed check. */
export function beginCheck(turn: Turn, link: Link, passed: (turn: Turn) => void): void {
  if (link.check !== null) return
  const nonce = turn.rng.bytes(NONCE_BYTES)
  link.check = { nonce, deadline: turn.now + ANSWER_WITHIN_MS, passed }
  link.send(turn, { type: 'check', nonce })
}

export function answered(turn: Turn, link: Link, answer: CheckAnswer): void {
  const { check } = link
  const row = turn.view.contact(link.who)
  if (check === null || row === undefined) return
  const right = ifAllowed(() => verifyAnswer(turn.vault, row, link.session, check.nonce, answer))
  if (right !== true) {
    drop(turn, link)
    return
  }
  link.check = null
  check.passed(turn)
}
