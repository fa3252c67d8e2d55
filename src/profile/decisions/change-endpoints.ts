import type { Endpoint, Fact, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import { encodeEndpoint, decodeEndpoint } from '../../net/tracker/endpoint.js'
import { type Deciding, contactOf, fact } from './context.js'

/** Where a contact is reached, by hand. @throws not-found, bad-endpoint */
export function changeEndpoints(
  { view }: Deciding,
  id: UserId,
  change: { readonly add?: string | undefined; readonly remove?: string | undefined },
): Fact[] {
  const known = contactOf(view, id).endpoints
  const added = change.add === undefined ? known : [canonical(change.add), ...known]
  const removed = change.remove === undefined ? null : canonical(change.remove)
  if (removed !== null && !known.includes(removed))
    throw new SottoError('not-found', 'no such address on record')
  const endpoints = [...new Set(added)].filter((endpoint) => endpoint !== removed)
  return [fact('ContactEndpointsLearned', { id, endpoints, how: 'hand' })]
}

function canonical(text: string): Endpoint {
  return decodeEndpoint(encodeEndpoint(text))
}
