import type { Fact, FactData, FactType, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { ContactRow, SelfRow, View } from '../../projections/view.js'

/** What one contact shows to get in (SPEC § 2.1). */
export const TOKEN_BYTES = 32

/** What every decision may look at. Decisions change nothing: they return the facts to append in one group. */
export interface Deciding {
  readonly view: View
  /** Milliseconds since 1970, strictly increasing within a profile. */
  readonly now: number
  readonly rng: Rng
}

export function fact<T extends FactType>(type: T, data: FactData[T]): Fact {
  return { type, data } as Fact
}

/** @throws internal before IdentityCreated was projected */
export function selfOf(view: View): SelfRow {
  const self = view.self()
  if (self === undefined) throw new SottoError('internal', 'no identity in the log')
  return self
}

/** @throws not-found */
export function contactOf(view: View, id: UserId): ContactRow {
  const contact = view.contact(id)
  if (contact === undefined) throw new SottoError('not-found')
  return contact
}

/** @throws blocked, not-a-friend, not-found */
export function friendOf(view: View, id: UserId): ContactRow {
  const contact = contactOf(view, id)
  if (contact.state === 'blocked') throw new SottoError('blocked')
  if (contact.state !== 'friend') throw new SottoError('not-a-friend')
  return contact
}
