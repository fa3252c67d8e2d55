import type { Fact, LetterBody, UserId } from '../../events/vocabulary/facts.js'
import { messageIdOf } from '../letters/letter.js'
import type { Turn } from './turn.js'

const CHECK_CODE_BYTES = 16

/** The fact that puts a control letter of the node's own into the to-be-sent table. */
export function queued(turn: Turn, to: UserId, letter: LetterBody): Fact {
  const checkCode = turn.rng.bytes(CHECK_CODE_BYTES)
  const messageId = messageIdOf(turn.vault.address, checkCode, turn.now)
  return { type: 'MessageQueued', data: { ...letter, messageId, checkCode, to, sentAt: turn.now } }
}
