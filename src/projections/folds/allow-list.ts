import type { UserId } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn, removeName } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import type { AllowRow } from '../view.js'
import { storedContact } from './contact-row.js'
import { PROJECTION } from './numbers.js'
import { trackerRow } from './trackers.js'

const allowTable = table<AllowRow>(PROJECTION.allowList, 1)
const allowNames: NameList = table(PROJECTION.allowList, 2)

/** `sotto-tracker://HOST:PORT/KEY` */
const TRACKER_HOST = /^sotto-tracker:\/\/([^/]+)\//

export function allowRows(reads: Reads): readonly AllowRow[] {
  return namesIn(reads, allowNames).map((name) => promised(reads.get(allowTable, name), 'a rule is missing'))
}

/** Friends and people we asked may be talked to; strangers who asked not before they are accepted, the blocked never. */
function contactAllowed({ data: { id } }: { readonly data: { readonly id: UserId } }, tx: Tx): void {
  const contact = storedContact(tx, id)
  const allowed = contact?.shown.state === 'friend' || contact?.shown.state === 'requested'
  place(tx, 'contact', id, allowed ? { endpoints: contact.shown.endpoints, byHand: contact.byHand } : null)
}

function trackerAllowed({ data: { url } }: { readonly data: { readonly url: string } }, tx: Tx): void {
  const host = TRACKER_HOST.exec(url)?.[1]
  const listed = trackerRow(tx, url) !== undefined && host !== undefined
  place(tx, 'tracker', url, listed ? { endpoints: [host] } : null)
}

type Places = Pick<AllowRow, 'endpoints' | 'byHand'>

function place(tx: Tx, kind: AllowRow['kind'], who: string, places: Places | null): void {
  const name = `${kind}:${who}`
  if (places === null) {
    removeName(tx, allowNames, name)
    tx.delete(allowTable, name)
  } else {
    addName(tx, allowNames, name)
    tx.put(allowTable, name, { kind, who, ...places })
  }
}

/** Who may be talked to, and where: derived from contacts and trackers, and from nothing else. */
export const allowList = fold({
  name: 'allow-list',
  number: PROJECTION.allowList,
  version: 2,
  on: {
    FriendRequested: contactAllowed,
    FriendRequestReceived: contactAllowed,
    FriendAccepted: contactAllowed,
    FriendAcceptanceReceived: contactAllowed,
    FriendRejected: contactAllowed,
    ContactEndpointsLearned: contactAllowed,
    ContactBlocked: contactAllowed,
    ContactUnblocked: contactAllowed,
    ContactRemoved: contactAllowed,
    TrackerAdded: trackerAllowed,
    TrackerRemoved: trackerAllowed,
  },
})
