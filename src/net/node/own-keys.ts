import type { Fact } from '../../events/vocabulary/facts.js'
import { x25519Public } from '../../foundation/crypto.js'
import type { NodeState } from './state.js'
import type { Turn } from './turn.js'

const SECRET_BYTES = 32
const MONTHS_A_YEAR = 12
const UNIX_YEAR = 1970

/** Months since January 1970, UTC. */
function monthOf(now: number): number {
  const date = new Date(now)
  return (date.getUTCFullYear() - UNIX_YEAR) * MONTHS_A_YEAR + date.getUTCMonth()
}

function startOfMonth(month: number): number {
  return Date.UTC(UNIX_YEAR, month)
}

/** A friend secret when there is none, an introduction key when a month has begun. */
export function dueOwnKeys(turn: Turn): void {
  const self = turn.view.self()
  if (self === undefined) return
  const facts: Fact[] = []
  facts.push(...friendSecret(turn).drawn)
  const newest = self.introductionKeys.at(-1)
  if (newest === undefined || newest.month < monthOf(turn.now)) facts.push(drawIntroductionKey(turn))
  turn.node.ownKeysAt = startOfMonth(monthOf(turn.now) + 1)
  turn.append(facts)
}

export function nextOwnKeys(node: NodeState): number {
  return node.ownKeysAt
}

/** The friend secret of this moment; drawn now when there was none, and then to be appended with what needs it. */
export function friendSecret(turn: Turn): { readonly secret: Uint8Array; readonly drawn: readonly Fact[] } {
  const known = turn.view.self()?.friendSecret
  if (known) return { secret: known, drawn: [] }
  const secret = turn.rng.bytes(SECRET_BYTES)
  return { secret, drawn: [{ type: 'FriendSecretDrawn', data: { secret } }] }
}

function drawIntroductionKey(turn: Turn): Fact {
  const secret = turn.rng.bytes(SECRET_BYTES)
  const data = { month: monthOf(turn.now), secret, public: x25519Public(secret) }
  return { type: 'IntroductionKeyDrawn', data }
}
