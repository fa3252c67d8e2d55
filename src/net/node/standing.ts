import type { Fact, FactData, UserId } from '../../events/vocabulary/facts.js'
import { isSottoError } from '../../foundation/errors.js'
import type { Turn } from './turn.js'

type How = FactData['ContactStatusChanged']['how']
type Complaint = FactData['GateRefused']

const HOUR_MS = 3_600_000
const COMPLAINTS_AN_HOUR = 10

/** A change of status becomes a fact; the same status again does not. */
export function noteStatus(
  turn: Turn,
  who: UserId,
  status: 'online' | 'offline' | 'unknown',
  how: How,
): void {
  if (turn.view.contact(who)?.state !== 'friend' || turn.view.presence(who).status === status) return
  if (turn.node.noting.get(who) === status) return
  turn.node.noting.set(who, status)
  turn.append([{ type: 'ContactStatusChanged', data: { id: who, status, how } }], (later) => {
    if (later.node.noting.get(who) === status) later.node.noting.delete(who)
  })
}

/** Something was not let in; at most ten an hour and contact are kept, for who sends them could send many. */
export function complain(turn: Turn, id: UserId, what: Complaint['what'], detail: string): void {
  const recent = (turn.node.complaints.get(id) ?? []).filter((at) => at > turn.now - HOUR_MS)
  if (recent.length >= COMPLAINTS_AN_HOUR) return
  turn.node.complaints.set(id, [...recent, turn.now])
  const fact: Fact = { type: 'GateRefused', data: { what, detail, id } }
  turn.append([fact])
}

/**
 * Offline by hand: no one is talked to. A log that never said where we listen never said anything about being online
 * either, and who has said nothing is not away.
 */
export function isAway(turn: Turn): boolean {
  const self = turn.view.self()
  return self === undefined || (self.status === 'offline' && self.endpoints.length > 0)
}

/** Another device speaks for us, or may: until a newer epoch settles it nothing is sent (SPEC § 2.5). */
export function hasStoodDown(turn: Turn): boolean {
  const self = turn.view.self()
  return self !== undefined && (self.superseded !== null || self.deviceConflict !== null)
}

export function isSilent(turn: Turn): boolean {
  return isAway(turn) || hasStoodDown(turn)
}

/** The vault gives no key when the peer's row does not allow talk: null then. */
export function ifAllowed<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (isSottoError(error, 'gate-denied')) return null
    throw error
  }
}
