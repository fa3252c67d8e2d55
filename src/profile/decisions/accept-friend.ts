import type { Fact, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import { type Deciding, TOKEN_BYTES, contactOf, fact, selfOf } from './context.js'
import { mustSpeak } from './must-speak.js'
import { queueLetter } from './queue-letter.js'

/** A machine may have more addresses than a letter takes (16). */
const MAX_TOLD_ENDPOINTS = 8

/**
 * Accepts a request: the fact and the letter that tells them are one append, so that neither is without the other.
 * @throws superseded, not-found, already-friend, blocked, not-a-friend (they have not asked)
 */
export function acceptFriend(deciding: Deciding, id: UserId): Fact[] {
  const { view, rng } = deciding
  mustSpeak(view)
  const contact = contactOf(view, id)
  if (contact.state === 'friend') throw new SottoError('already-friend')
  if (contact.state === 'blocked') throw new SottoError('blocked')
  if (contact.state !== 'incoming') throw new SottoError('not-a-friend', 'they have not asked')
  const token = rng.bytes(TOKEN_BYTES)
  return [fact('FriendAccepted', { id, token }), queueLetter(deciding, id, acceptance(deciding, token)).fact]
}

function acceptance({ view }: Deciding, token: Uint8Array) {
  const self = selfOf(view)
  if (self.friendSecret === null) throw new SottoError('internal', 'no friend secret in the log')
  const { nickname, avatar, friendSecret: secret } = self
  const endpoints = self.endpoints.slice(0, MAX_TOLD_ENDPOINTS)
  const card = avatar === null ? { nickname } : { nickname, avatar }
  return { kind: 'friend-accept', body: { ...card, token, secret, endpoints } } as const
}
