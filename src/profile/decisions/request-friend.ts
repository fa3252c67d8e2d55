import type { Fact, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import { acceptFriend } from './accept-friend.js'
import { type Deciding, TOKEN_BYTES, fact, selfOf } from './context.js'
import { mustSpeak } from './must-speak.js'

/**
 * Asks the person behind an ID. Someone who asked first is accepted; asking twice changes nothing.
 * @throws superseded, that-is-you, already-friend, blocked
 */
export function requestFriend(deciding: Deciding, id: UserId, text?: string): Fact[] {
  const { view, rng } = deciding
  mustSpeak(view)
  if (selfOf(view).id === id) throw new SottoError('that-is-you')
  const contact = view.contact(id)
  if (contact?.state === 'friend') throw new SottoError('already-friend')
  if (contact?.state === 'blocked') throw new SottoError('blocked')
  if (contact?.state === 'incoming') return acceptFriend(deciding, id)
  if (contact?.state === 'requested') return []
  return [
    fact('FriendRequested', { id, token: rng.bytes(TOKEN_BYTES), ...(text === undefined ? {} : { text }) }),
  ]
}
