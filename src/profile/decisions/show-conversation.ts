import type { Fact, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { type Deciding, fact } from './context.js'
import { isSuperseded } from './must-speak.js'
import { queueLetter } from './queue-letter.js'
import { readSetting } from '../settings.js'

/** One `read` letter names at most this many messages, so that it stays well under the size of a letter. */
const MAX_IDS_PER_LETTER = 256

/**
 * Texts of `from` were on the screen: `shown` of those that were not before. Tells the sender, unless receipts.read
 * is off, they are no friend any more, or another device speaks for us.
 */
export function showConversation(deciding: Deciding, from: UserId, shown: readonly MessageId[]): Fact[] {
  const { view } = deciding
  const fresh = new Set(view.unshown(from))
  const messageIds = shown.filter((id) => fresh.has(id))
  if (messageIds.length === 0) return []
  const told =
    !isSuperseded(view) && readSetting(view, 'receipts.read') && view.contact(from)?.state === 'friend'
  const letters = told ? chunks(messageIds).map((ids) => receipt(deciding, from, ids)) : []
  return [fact('MessagesShown', { from, messageIds }), ...letters]
}

function receipt(deciding: Deciding, to: UserId, ids: readonly MessageId[]): Fact {
  return queueLetter(deciding, to, { kind: 'read', body: { ids } }).fact
}

function chunks(ids: readonly MessageId[]): MessageId[][] {
  const count = Math.ceil(ids.length / MAX_IDS_PER_LETTER)
  return Array.from({ length: count }, (_, i) =>
    ids.slice(i * MAX_IDS_PER_LETTER, (i + 1) * MAX_IDS_PER_LETTER),
  )
}
