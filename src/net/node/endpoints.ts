import type { Endpoint, FactData, UserId } from '../../events/vocabulary/facts.js'
import type { ContactRow } from '../../projections/view.js'
import type { Turn } from './turn.js'

type How = FactData['ContactEndpointsLearned']['how']

/** More than anyone needs; a contact could send any number. */
const MAX_ENDPOINTS = 8
const HOUR_MS = 3_600_000
/** Facts that one contact may cause by telling new addresses over links; each stays in the log for good. */
const MOVES_AN_HOUR = 20

/**
 * Where someone is reached now. A fact only when it changes anything; `then` runs when the view shows it. An empty list
 * says nothing: who listens nowhere at this moment may be back where they were.
 */
export function learnEndpoints(
  turn: Turn,
  id: UserId,
  told: readonly Endpoint[],
  how: How,
  then?: (turn: Turn) => void,
): void {
  const row = turn.view.contact(id)
  const endpoints = [...new Set(told)].slice(0, MAX_ENDPOINTS)
  const same = endpoints.length === 0 || (row !== undefined && sameAs(turn, row, endpoints))
  if (how === 'link' && !same && !isWithinBudget(turn, id)) return then?.(turn)
  if (how === 'link') turn.node.toldEndpoints.set(id, turn.now)
  if (row === undefined || row.state === 'blocked' || same) return then?.(turn)
  turn.append([{ type: 'ContactEndpointsLearned', data: { id, endpoints, how } }], then)
}

/** Whoever moves more often in an hour is found through the trackers, or when they dial. */
function isWithinBudget(turn: Turn, id: UserId): boolean {
  const recent = (turn.node.moves.get(id) ?? []).filter((at) => at > turn.now - HOUR_MS)
  if (recent.length >= MOVES_AN_HOUR) return false
  turn.node.moves.set(id, [...recent, turn.now])
  return true
}

/** Addresses given by hand stay beside what is learned, and are no difference. */
function sameAs(turn: Turn, row: ContactRow, endpoints: readonly Endpoint[]): boolean {
  if (endpoints.some((endpoint) => !row.endpoints.includes(endpoint))) return false
  const byHand = turn.view.allowed().find((allowed) => allowed.who === row.id)?.byHand ?? []
  return row.endpoints.every((known) => endpoints.includes(known) || byHand.includes(known))
}
