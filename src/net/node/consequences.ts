import type { Fact, LetterBodies, UserId } from '../../events/vocabulary/facts.js'
import type { OpenedMessage } from '../letters/letter.js'
import { readFact } from './delivery.js'
import { friendSecret } from './own-keys.js'
import { queued } from './letters-out.js'
import type { Turn } from './turn.js'

/** What a letter means besides having come; appended in one group with it, so that neither is without the other. */
export function consequences(turn: Turn, id: UserId, message: OpenedMessage): Fact[] {
  switch (message.kind) {
    case 'text':
      return []
    case 'friend-accept':
      return acceptance(turn, id, message.body)
    case 'friend-secret':
      return [{ type: 'FriendSecretReceived', data: { id, ...message.body } }]
    case 'profile':
      return [{ type: 'ContactCardReceived', data: { id, ...message.body } }]
    case 'read':
      return [...new Set(message.body.ids)].flatMap((messageId) => readFact(turn, id, messageId) ?? [])
  }
}

/** They accepted: from now on a friend, who learns how to find us as well. */
function acceptance(turn: Turn, id: UserId, body: LetterBodies['friend-accept']): Fact[] {
  const { secret, drawn } = friendSecret(turn)
  return [
    { type: 'FriendAcceptanceReceived', data: { id, ...body } },
    ...drawn,
    queued(turn, id, { kind: 'friend-secret', body: { secret } }),
  ]
}
