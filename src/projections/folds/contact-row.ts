import type { Card, Endpoint, UserId } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn, removeName } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import type { ContactRow } from '../view.js'
import { PROJECTION } from './numbers.js'

/** What a block takes away, and an unblock gives back. */
type Withheld = Pick<ContactRow, 'state' | 'admits' | 'shows' | 'secret'>

export interface StoredContact {
  readonly shown: ContactRow
  /** Where the endpoints shown come from: told by the network, newest news only, and typed by a person. */
  readonly learned: readonly Endpoint[]
  readonly byHand: readonly Endpoint[]
  /** What stood here before the block; null when not blocked, or when they were nobody before. */
  readonly withheld: Withheld | null
}

const contactTable = table<StoredContact>(PROJECTION.contacts, 1)
const contactIds: NameList = table(PROJECTION.contacts, 2)

export function contactRow(reads: Reads, id: UserId): ContactRow | undefined {
  return reads.get(contactTable, id)?.shown
}

export function contactRows(reads: Reads): readonly ContactRow[] {
  return namesIn(reads, contactIds).map((id) => promised(contactRow(reads, id), 'a contact is missing'))
}

export function storedContact(reads: Reads, id: UserId): StoredContact | undefined {
  return reads.get(contactTable, id)
}

export function saveContact(tx: Tx, contact: StoredContact): void {
  addName(tx, contactIds, contact.shown.id)
  tx.put(contactTable, contact.shown.id, contact)
}

export function dropContact(tx: Tx, id: UserId): void {
  removeName(tx, contactIds, id)
  tx.delete(contactTable, id)
}

export function newContact(id: UserId, at: number, facts: Partial<ContactRow>): StoredContact {
  const shown: ContactRow = { ...STRANGER, id, at, ...facts }
  return { shown, learned: shown.endpoints, byHand: [], withheld: null }
}

export function changed(contact: StoredContact, patch: Partial<ContactRow>): StoredContact {
  return { ...contact, shown: { ...contact.shown, ...patch } }
}

/** Nickname and picture as they are now told; no picture means none any more. */
export function cardOf(card: Card): Pick<ContactRow, 'nickname' | 'avatar'> {
  return { nickname: card.nickname, avatar: card.avatar ?? null }
}

const STRANGER: ContactRow = {
  id: '',
  state: 'requested',
  nickname: '',
  avatar: null,
  certificate: null,
  spki: null,
  admits: null,
  shows: null,
  secret: null,
  endpoints: [],
  text: null,
  at: 0,
  requestSent: false,
  verified: false,
  doubt: null,
  device: null,
  rival: null,
}
