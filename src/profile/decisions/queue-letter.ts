import type { Fact, LetterBody, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { addressOf } from '../../keys/user-id.js'
import { messageIdOf } from '../../net/letters/letter.js'
import { type Deciding, fact, selfOf } from './context.js'

const CHECK_CODE_BYTES = 16

/** A letter of any kind for the to-be-sent table, with its time stamp and random check code (SPEC § 7). */
export function queueLetter(
  { view, now, rng }: Deciding,
  to: UserId,
  letter: LetterBody,
): { messageId: MessageId; fact: Fact } {
  const checkCode = rng.bytes(CHECK_CODE_BYTES)
  const messageId = messageIdOf(addressOf(selfOf(view).id), checkCode, now)
  return { messageId, fact: fact('MessageQueued', { ...letter, messageId, checkCode, to, sentAt: now }) }
}

/** The same letter to every friend, each with a check code of its own. */
export function queueToFriends(deciding: Deciding, letter: LetterBody, except?: UserId): Fact[] {
  return deciding.view
    .contacts()
    .filter((contact) => contact.state === 'friend' && contact.id !== except)
    .map((contact) => queueLetter(deciding, contact.id, letter).fact)
}
