import type { Fact, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import { type Deciding, contactOf, fact } from './context.js'
import { mustSpeak } from './must-speak.js'
import { queueToFriends } from './queue-letter.js'

export const FRIEND_SECRET_BYTES = 32

/** Forgets a request of theirs. @throws superseded, not-found, not-a-friend (they have not asked) */
export function rejectFriend({ view }: Deciding, id: UserId): Fact[] {
  mustSpeak(view)
  if (contactOf(view, id).state !== 'incoming') throw new SottoError('not-a-friend', 'they have not asked')
  return [fact('FriendRejected', { id })]
}

/** No more talk either way; what they knew of our whereabouts is worth nothing from the next period on. @throws superseded, not-found */
export function blockContact(deciding: Deciding, id: UserId): Fact[] {
  mustSpeak(deciding.view)
  const contact = contactOf(deciding.view, id)
  if (contact.state === 'blocked') return []
  return [fact('ContactBlocked', { id }), ...redrawSecret(deciding, id)]
}

/** @throws superseded, not-found; not blocked changes nothing */
export function unblockContact({ view }: Deciding, id: UserId): Fact[] {
  mustSpeak(view)
  return contactOf(view, id).state === 'blocked' ? [fact('ContactUnblocked', { id })] : []
}

/** Takes a person out of the list; the log keeps what was said. @throws superseded, not-found */
export function removeContact(deciding: Deciding, id: UserId): Fact[] {
  mustSpeak(deciding.view)
  contactOf(deciding.view, id)
  return [fact('ContactRemoved', { id }), ...redrawSecret(deciding, id)]
}

/** A new friend secret, told to everyone who stays a friend (SPEC § 2.1). */
function redrawSecret(deciding: Deciding, except: UserId): Fact[] {
  const secret = deciding.rng.bytes(FRIEND_SECRET_BYTES)
  const letters = queueToFriends(deciding, { kind: 'friend-secret', body: { secret } }, except)
  return [fact('FriendSecretDrawn', { secret }), ...letters]
}
