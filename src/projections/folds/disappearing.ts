import type { FactOf, MessageId, UserId } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn, removeName } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import { timeOf, timePrefix } from '../lists/order.js'
import { dropList, insertInto, oldest, pageList, removeFrom } from '../lists/page-list.js'
import type { MessageRow, TimerRow } from '../view.js'
import { newestIn } from './conversations.js'
import { messageRow } from './message-row.js'
import { PROJECTION } from './numbers.js'
import { pendingFor } from './outbox-row.js'

const PAGE_SIZE = 64
/** Digits of time before the message ID. */
const ID_AT = 12
/** What has happened to a message by then ends its way: it was seen here, it arrived there, or it never will. */
const ENDS_OF_A_WAY: ReadonlySet<string> = new Set(['shown', 'delivered', 'read', 'failed'])

const timerTable = table<TimerRow>(PROJECTION.disappearing, 1)
const people: NameList = table(PROJECTION.disappearing, 2)
/** Of those with a timer, their messages whose time runs, by when it began. */
const running = pageList(PROJECTION.disappearing, 3, PAGE_SIZE)

export function timerRow(reads: Reads, id: UserId): TimerRow | undefined {
  return reads.get(timerTable, id)
}

export function timerRows(reads: Reads): readonly TimerRow[] {
  return namesIn(reads, people).map((id) => promised(timerRow(reads, id), 'a timer is missing'))
}

export function disappearsAt(reads: Reads, message: MessageRow): number | null {
  const timer = timerRow(reads, message.with)
  const since = timer === undefined ? null : runningSince(message)
  return timer === undefined || since === null ? null : since + timer.afterMs
}

/** At most `limit` messages whose time has run out at `now`. */
export function expiredAt(reads: Reads, now: number, limit: number): readonly MessageId[] {
  const out: MessageId[] = []
  for (const { with: id, afterMs } of timerRows(reads)) {
    const bound = timePrefix(now - afterMs + 1)
    const first = oldest(reads, running, id, limit - out.length)
    out.push(...first.filter((entry) => entry < bound).map((entry) => entry.slice(ID_AT)))
  }
  return out
}

/** How many messages' time began at `since` or before, timer or not. Opens every message of the conversation. */
export function overdueIn(reads: Reads, id: UserId, since: number): number {
  return newestIn(reads, id, Infinity, 0).filter((row) => (runningSince(row) ?? Infinity) <= since).length
}

/** When the next message disappears; null when none is on its way to. */
export function nextExpiry(reads: Reads): number | null {
  let next: number | null = null
  for (const { with: id, afterMs } of timerRows(reads)) {
    const [entry] = oldest(reads, running, id, 1)
    if (entry === undefined) continue
    const at = timeOf(entry) + afterMs
    next = Math.min(next ?? at, at)
  }
  return next
}

/**
 * When a message's time began: one that came, when it was first shown; one of ours, when it had arrived or was given up.
 * What still waits to be sent or to be read does not disappear.
 */
export function runningSince({ trail }: MessageRow): number | null {
  return trail.find(({ what }) => ENDS_OF_A_WAY.has(what))?.at ?? null
}

/** It counts for all that was said, not only for what comes. */
function disappearingSet({ data: { with: id, afterMs } }: FactOf<'DisappearingSet'>, tx: Tx): void {
  if (afterMs === null) {
    tx.delete(timerTable, id)
    removeName(tx, people, id)
    dropList(tx, running, id)
    return
  }
  if (timerRow(tx, id) === undefined) for (const row of newestIn(tx, id, Infinity, 0)) begun(tx, row)
  tx.put(timerTable, id, { with: id, afterMs })
  addName(tx, people, id)
}

function begun(tx: Tx, row: MessageRow): void {
  const since = runningSince(row)
  if (since !== null) insertInto(tx, running, row.with, timePrefix(since) + row.messageId)
}

/** The first of these facts about a message is the end of its way. Rows are here as they were before it. */
function begin(tx: Tx, id: MessageId, who: UserId, direction: MessageRow['direction'], at: number): void {
  const row = messageRow(tx, id)
  if (row?.direction !== direction || row.with !== who || runningSince(row) !== null) return
  insertInto(tx, running, who, timePrefix(at) + id)
}

function messagesShown({ data, at }: FactOf<'MessagesShown'>, tx: Tx): void {
  if (timerRow(tx, data.from) === undefined) return
  for (const id of data.messageIds) begin(tx, id, data.from, 'in', at)
}

function settled({ data, at }: FactOf<'MessageDelivered' | 'MessageRead' | 'MessageFailed'>, tx: Tx): void {
  if (timerRow(tx, data.to) !== undefined) begin(tx, data.messageId, data.to, 'out', at)
}

/** What waited for them is given up. */
function contactRemoved({ data, at }: FactOf<'ContactRemoved'>, tx: Tx): void {
  if (timerRow(tx, data.id) === undefined) return
  for (const { messageId } of pendingFor(tx, data.id)) begin(tx, messageId, data.id, 'out', at)
}

function contentForgotten({ data }: FactOf<'ContentForgotten'>, tx: Tx): void {
  for (const { messageId } of data.letters) {
    const row = messageRow(tx, messageId)
    const since = row === undefined ? null : runningSince(row)
    if (row !== undefined && since !== null)
      removeFrom(tx, running, row.with, timePrefix(since) + row.messageId)
  }
}

/** In which conversations messages disappear, and which of them when. Outlives the contact, as conversations do. */
export const disappearing = fold({
  name: 'disappearing',
  number: PROJECTION.disappearing,
  version: 1,
  on: {
    DisappearingSet: disappearingSet,
    MessagesShown: messagesShown,
    MessageDelivered: settled,
    MessageRead: settled,
    MessageFailed: settled,
    ContactRemoved: contactRemoved,
    ContentForgotten: contentForgotten,
  },
})
