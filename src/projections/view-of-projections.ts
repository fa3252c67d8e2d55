import { isDamage } from './engine/damage.js'
import type { Reads } from './engine/fold.js'
import type { Rows } from './engine/rows.js'
import { allowRows } from './folds/allow-list.js'
import { contactRow, contactRows } from './folds/contact-row.js'
import { conversationRows, newestIdsIn, newestIn, unseenIn } from './folds/conversations.js'
import { isKnown } from './folds/dedupe.js'
import { disappearsAt, expiredAt, nextExpiry, overdueIn, timerRow, timerRows } from './folds/disappearing.js'
import { pendingErasures } from './folds/erasures.js'
import { forgottenSince } from './folds/forgotten.js'
import { messageRow } from './folds/message-row.js'
import { PROJECTION } from './folds/numbers.js'
import { outboxPeers, pendingFor } from './folds/outbox-row.js'
import { presenceRow } from './folds/presence.js'
import { selfRow } from './folds/self.js'
import { allSettings, settingOf } from './folds/settings.js'
import { trackerRows } from './folds/trackers.js'
import type { View } from './view.js'

/** What there is to read at the moment; the engine changes it under the view when it rebuilds. */
export interface Current {
  readonly seq: number
  readonly rows: Rows
}

/**
 * The view over the rows of all projections. Lists are kept until their projection changes.
 * @throws projections-damaged from any method, after calling `onDamage`: what is shown is then being rebuilt
 */
export function viewOf(current: () => Current, onDamage: () => void): View {
  const read = <T>(reading: (reads: Reads) => T): T => {
    try {
      return reading(current().rows)
    } catch (error) {
      if (isDamage(error)) onDamage()
      throw error
    }
  }
  const kept = <T>(projection: number, listing: (reads: Reads) => T): (() => T) => {
    const fresh = keeping(projection, listing)
    return () => read(() => fresh(current().rows))
  }
  return {
    get seq() {
      return current().seq
    },
    self: () => read(selfRow),
    contact: (id) => read((reads) => contactRow(reads, id)),
    contacts: kept(PROJECTION.contacts, contactRows),
    presence: (id) => read((reads) => presenceRow(reads, id)),
    outbox: (to, limit) => read((reads) => pendingFor(reads, to, limit)),
    outboxPeers: kept(PROJECTION.outbox, outboxPeers),
    message: (id) => read((reads) => messageRow(reads, id)),
    seen: (id, sentAt) => read((reads) => isKnown(reads, id, sentAt)),
    conversation: (id, { since = 0, limit = Infinity } = {}) =>
      read((reads) => newestIn(reads, id, limit, since)),
    conversationIds: (id, { since, limit }) => read((reads) => newestIdsIn(reads, id, limit, since)),
    forgotten: (sinceDay, limit) => read((reads) => forgottenSince(reads, sinceDay, limit)),
    erasures: (limit) => read((reads) => pendingErasures(reads, limit)),
    disappearsAfter: (id) => read((reads) => timerRow(reads, id)?.afterMs ?? null),
    disappearsAt: (message) => read((reads) => disappearsAt(reads, message)),
    timers: kept(PROJECTION.disappearing, timerRows),
    expired: (now, limit) => read((reads) => expiredAt(reads, now, limit)),
    overdue: (id, since) => read((reads) => overdueIn(reads, id, since)),
    nextExpiry: kept(PROJECTION.disappearing, nextExpiry),
    conversations: kept(PROJECTION.conversations, conversationRows),
    unshown: (id) => read((reads) => unseenIn(reads, id)),
    trackers: kept(PROJECTION.trackers, trackerRows),
    setting: (key) => read((reads) => settingOf(reads, key)),
    settings: kept(PROJECTION.settings, allSettings),
    allowed: kept(PROJECTION.allowList, allowRows),
  }
}

/** Computes again only when a row of the projection, or the store behind it, changed. */
function keeping<T>(projection: number, listing: (reads: Reads) => T): (rows: Rows) => T {
  let last: { readonly rows: Rows; readonly changes: number; readonly value: T } | null = null
  return (rows) => {
    const changes = rows.changes(projection)
    if (last?.rows !== rows || last.changes !== changes) last = { rows, changes, value: listing(rows) }
    return last.value
  }
}
