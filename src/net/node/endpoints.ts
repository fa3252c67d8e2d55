import type { Endpoint, FactData, UserId } from '../../events/vocabulary/facts.js'
import type { ContactRow } from '../../projections/view.js'
import type { Turn } from './turn.js'

type How = FactData['ContactEndpointsLearned']['how']

/** More than anyone needs; a contact could send any number. */
const MAX_ENDPOINTS = 8

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
  if (how === 'link') turn.node.toldEndpoints.set(id, turn.now)
  if (row === undefined || endpoints.length === 0 || sameAs(turn, row, endpoints)) return then?.(turn)
  turn.append([{ type: 'ContactEndpointsLearned', data: { id, endpoints, how } }], then)
}

/** Addresses given by hand stay beside what is learned, and are no difference. */
function sameAs(turn: Turn, row: ContactRow, endpoints: readonly Endpoint[]): boolean {
  if (endpoints.some((endpoint) => !row.endpoints.includes(endpoint))) return false
  const byHand = turn.view.allowed().find((allowed) => allowed.who === row.id)?.byHand ?? []
  return row.endpoints.every((known) => endpoints.includes(known) || byHand.includes(known))
}
