import type { FactOf, MessageId } from '../../events/vocabulary/facts.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { timeOf, timePrefix } from '../lists/order.js'
import { countOf, dropOldPage, holds, insertInto, newest, pageList } from '../lists/page-list.js'
import { PROJECTION } from './numbers.js'

const DAY_MS = 86_400_000
/** As long as letters are deduplicated: longer ago nothing is compared with anyone. */
const KEPT_MS = 90 * DAY_MS
const PAGE_SIZE = 256
const ONLY_LIST = 'letters'
/** Digits of time before the message ID. */
const ID_AT = 12

const letters = pageList(PROJECTION.forgotten, 1, PAGE_SIZE)

export interface ForgottenLetter {
  readonly messageId: MessageId
  /** Its sender's day, ⌊sentAt / 86 400 000⌋. */
  readonly day: number
}

/** The newest `limit` letters of `sinceDay` or later whose content is gone, oldest first. */
export function forgottenSince(reads: Reads, sinceDay: number, limit: number): readonly ForgottenLetter[] {
  return newest(reads, letters, ONLY_LIST, limit, timePrefix(sinceDay * DAY_MS)).map((entry) => ({
    messageId: entry.slice(ID_AT),
    day: Math.floor(timeOf(entry) / DAY_MS),
  }))
}

/** Forgetting does not bring a letter back: when it comes again, it is known. */
export function wasForgotten(reads: Reads, id: MessageId, sentAt: number): boolean {
  // Asked for every message, and mostly there is none.
  if (countOf(reads, letters, ONLY_LIST) === 0) return false
  return holds(reads, letters, ONLY_LIST, entryOf(id, Math.floor(sentAt / DAY_MS)))
}

function entryOf(id: MessageId, day: number): string {
  return timePrefix(day * DAY_MS) + id
}

/** That they came, and on which day: so that nobody needs to send again what was read and forgotten. */
function contentForgotten({ data, at }: FactOf<'ContentForgotten'>, tx: Tx): void {
  for (const { messageId, day } of data.letters) {
    insertInto(tx, letters, ONLY_LIST, entryOf(messageId, day))
    dropOldPage(tx, letters, ONLY_LIST, () => timePrefix(at - KEPT_MS))
  }
}

/** Letters that were forgotten on purpose (SPEC § 4.7). */
export const forgotten = fold({
  name: 'forgotten',
  number: PROJECTION.forgotten,
  version: 1,
  on: { ContentForgotten: contentForgotten },
})
