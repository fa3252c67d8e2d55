import type { FactOf, MessageId } from '../../events/vocabulary/facts.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { dropOldPage, holds, insertInto, pageList } from '../lists/page-list.js'
import { timePrefix } from '../lists/order.js'
import { wasForgotten } from './forgotten.js'
import { messageRow } from './message-row.js'
import { PROJECTION } from './numbers.js'

/** Letters older than 60 days are refused (SPEC § 7.2), so nothing that was dropped here can come again. */
const KEPT_MS = 90 * 86_400_000
const PAGE_SIZE = 256
const ONLY_LIST = 'letters'

const controlLetters = pageList(PROJECTION.dedupe, 1, PAGE_SIZE)

/**
 * Whether a letter is known that has no message row: one without a text, or one that was forgotten. The ID is a hash of
 * sender, check code and time stamp (SPEC § 7.2), so it alone tells letters apart.
 */
export function isKnownWithoutText(reads: Reads, id: MessageId, sentAt: number): boolean {
  return holds(reads, controlLetters, ONLY_LIST, entryOf(id, sentAt)) || wasForgotten(reads, id, sentAt)
}

/** A letter is known for 90 days at least, and for as long as its text is here. */
export function isKnown(reads: Reads, id: MessageId, sentAt: number): boolean {
  return messageRow(reads, id) !== undefined || isKnownWithoutText(reads, id, sentAt)
}

/** Texts are known by their rows. */
function remembered({ data, at }: FactOf<'MessageQueued' | 'MessageReceived'>, tx: Tx): void {
  if (data.kind === 'text' || isKnown(tx, data.messageId, data.sentAt)) return
  insertInto(tx, controlLetters, ONLY_LIST, entryOf(data.messageId, data.sentAt))
  dropOldPage(tx, controlLetters, ONLY_LIST, () => timePrefix(at - KEPT_MS))
}

function entryOf(id: MessageId, sentAt: number): string {
  return timePrefix(sentAt) + id
}

/** Every letter of the last 90 days that is no text. Runs after those that ask it what was there before the fact. */
export const dedupe = fold({
  name: 'dedupe',
  number: PROJECTION.dedupe,
  version: 3,
  on: { MessageQueued: remembered, MessageReceived: remembered },
})
