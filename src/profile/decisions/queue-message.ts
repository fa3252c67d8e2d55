import type { Fact, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import { type Deciding, friendOf } from './context.js'
import { mustSpeak } from './must-speak.js'
import { queueLetter } from './queue-letter.js'

/** SPEC § 7.3. */
export const MAX_TEXT_BYTES = 16 * 1024

/** A text for a friend. @throws superseded, not-found, not-a-friend, blocked, usage (empty), too-large */
export function queueMessage(
  deciding: Deciding,
  to: UserId,
  text: string,
): { messageId: MessageId; facts: Fact[] } {
  mustSpeak(deciding.view)
  friendOf(deciding.view, to)
  // Half a surrogate pair has no UTF-8 and would come out as another text than was sent.
  if (text === '' || Buffer.from(text).toString() !== text)
    throw new SottoError('usage', 'there is no text to send')
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) throw new SottoError('too-large', 'a message is up to 16 KiB')
  const letter = queueLetter(deciding, to, { kind: 'text', body: { text } })
  return { messageId: letter.messageId, facts: [letter.fact] }
}
