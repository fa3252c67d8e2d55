import type { FactOf, UserId } from '../../events/vocabulary/facts.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import type { PresenceRow } from '../view.js'
import { contactRow } from './contact-row.js'
import { PROJECTION } from './numbers.js'

/** News that much older than what is known is not late: the clock was set back in between. */
const CLOCK_SET_BACK_MS = 3_600_000

const NO_NEWS: PresenceRow = { status: 'unknown', how: 'none', at: 0 }
const presenceTable = table<PresenceRow>(PROJECTION.presence, 1)

export function presenceRow(reads: Reads, id: UserId): PresenceRow {
  return reads.get(presenceTable, id) ?? NO_NEWS
}

/** The newest news counts, and only of people we know and have not blocked. */
function contactStatusChanged({ data, at }: FactOf<'ContactStatusChanged'>, tx: Tx): void {
  if (!isFollowed(tx, data.id)) return
  const late = presenceRow(tx, data.id).at - at
  if (late > 0 && late < CLOCK_SET_BACK_MS) return
  tx.put(presenceTable, data.id, { status: data.status, how: data.how, at })
}

/** Nothing is kept of whom we do not follow any more. */
function forgetUnfollowed({ data }: { readonly data: { readonly id: UserId } }, tx: Tx): void {
  if (!isFollowed(tx, data.id)) tx.delete(presenceTable, data.id)
}

function isFollowed(reads: Reads, id: UserId): boolean {
  const contact = contactRow(reads, id)
  return contact !== undefined && contact.state !== 'blocked'
}

/** Who was last heard to be online or offline, and by which way. */
export const presence = fold({
  name: 'presence',
  number: PROJECTION.presence,
  version: 1,
  on: {
    ContactStatusChanged: contactStatusChanged,
    FriendRejected: forgetUnfollowed,
    ContactBlocked: forgetUnfollowed,
    ContactRemoved: forgetUnfollowed,
  },
})
