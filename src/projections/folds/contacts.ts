import type { FactOf, UserId } from '../../events/vocabulary/facts.js'
import { fold } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { cardOf, changed, dropContact, newContact, saveContact, storedContact } from './contact-row.js'
import { deviceDoubted, deviceSeen } from './contact-device.js'
import type { StoredContact } from './contact-row.js'
import { contradicts, doubted, learnedEndpoints, pinned, typedEndpoints } from './contact-rules.js'
import { PROJECTION } from './numbers.js'

/** Blocked stays blocked under everything but ContactUnblocked and ContactRemoved: for all else they are nobody. */
function unblocked(reads: Reads, id: UserId): StoredContact | undefined {
  const contact = storedContact(reads, id)
  return contact?.shown.state === 'blocked' ? undefined : contact
}

/** Asking again renews the token and has to be sent again; a friend is not asked. */
function friendRequested({ data, at }: FactOf<'FriendRequested'>, tx: Tx): void {
  const ours = {
    state: 'requested',
    admits: data.token,
    text: data.text ?? null,
    at,
    requestSent: false,
  } as const
  const known = storedContact(tx, data.id)
  if (known === undefined) saveContact(tx, newContact(data.id, at, ours))
  else if (known.shown.state === 'requested' || known.shown.state === 'incoming')
    saveContact(tx, changed(known, ours))
}

/** The certificate of someone we know is pinned the first time; another one raises doubt. */
function contactLearned({ data }: FactOf<'ContactLearned'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known === undefined) return
  const believed = changed(known, { ...pinned(known.shown, data), ...cardOf(data) })
  saveContact(tx, contradicts(known.shown, data) ? doubted(known) : believed)
}

function friendRequestSent({ data }: FactOf<'FriendRequestSent'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known?.shown.state === 'requested') saveContact(tx, changed(known, { requestSent: true }))
}

/**
 * A stranger's request is `incoming`. From someone we asked or who is a friend it changes what we show them and what
 * we know of them, never the state: only FriendAccepted makes friends of two who asked each other.
 */
function friendRequestReceived({ data, at }: FactOf<'FriendRequestReceived'>, tx: Tx): void {
  const known = storedContact(tx, data.id)
  if (known?.shown.state === 'blocked') return
  const contact = known ?? newContact(data.id, at, { state: 'incoming' })
  const theirs = { ...pinned(contact.shown, data), ...cardOf(data), shows: data.token }
  const asked = contact.shown.state === 'incoming' ? { text: data.text ?? null, at } : {}
  const believed = learnedEndpoints(changed(contact, { ...theirs, ...asked }), data.endpoints)
  saveContact(tx, contradicts(contact.shown, data) ? doubted(contact) : believed)
}

/**
 * We can accept only who asked: without their token there is no way in. What the node accepted by itself counts only for
 * who is still what it saw: whoever was removed meanwhile is `incoming` by the request before it, and waits for the user.
 */
function friendAccepted({ data }: FactOf<'FriendAccepted'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known === undefined || known.shown.shows === null) return
  if (data.as !== undefined && data.as !== known.shown.state) return
  saveContact(tx, changed(known, { state: 'friend', admits: data.token }))
}

/** An acceptance counts only from someone we asked, or from a friend who says it again. */
function friendAcceptanceReceived({ data }: FactOf<'FriendAcceptanceReceived'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known?.shown.state !== 'requested' && known?.shown.state !== 'friend') return
  const theirs = { state: 'friend', shows: data.token, secret: data.secret, ...cardOf(data) } as const
  saveContact(tx, learnedEndpoints(changed(known, theirs), data.endpoints))
}

/** Only a request that waits can be rejected. */
function friendRejected({ data }: FactOf<'FriendRejected'>, tx: Tx): void {
  if (storedContact(tx, data.id)?.shown.state === 'incoming') dropContact(tx, data.id)
}

function friendSecretReceived({ data }: FactOf<'FriendSecretReceived'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known?.shown.state === 'friend') saveContact(tx, changed(known, { secret: data.secret }))
}

function contactCardReceived({ data }: FactOf<'ContactCardReceived'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known !== undefined) saveContact(tx, changed(known, cardOf(data)))
}

function contactEndpointsLearned({ data }: FactOf<'ContactEndpointsLearned'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known === undefined) return
  const place = data.how === 'hand' ? typedEndpoints : learnedEndpoints
  saveContact(tx, place(known, data.endpoints))
}

function contactDeviceSeen(fact: FactOf<'ContactDeviceSeen'>, tx: Tx): void {
  const known = unblocked(tx, fact.data.id)
  if (known !== undefined) saveContact(tx, changed(known, deviceSeen(known.shown, fact)))
}

function contactDoubted({ data }: FactOf<'ContactDoubted'>, tx: Tx): void {
  const known = unblocked(tx, data.id)
  if (known !== undefined) saveContact(tx, changed(known, deviceDoubted(known.shown)))
}

/** Whoever is blocked neither gets in nor is called; tokens are withheld, not forgotten. Strangers can be blocked. */
function contactBlocked({ data, at }: FactOf<'ContactBlocked'>, tx: Tx): void {
  const barred = { state: 'blocked', admits: null, shows: null, secret: null } as const
  const known = storedContact(tx, data.id)
  if (known === undefined) saveContact(tx, newContact(data.id, at, barred))
  else if (known.shown.state !== 'blocked') {
    const { state, admits, shows, secret } = known.shown
    saveContact(tx, { ...changed(known, barred), withheld: { state, admits, shows, secret } })
  }
}

/** Back to what was before the block; who was nobody then is nobody again. */
function contactUnblocked({ data }: FactOf<'ContactUnblocked'>, tx: Tx): void {
  const known = storedContact(tx, data.id)
  if (known?.shown.state !== 'blocked') return
  if (known.withheld === null) dropContact(tx, data.id)
  else saveContact(tx, { ...changed(known, known.withheld), withheld: null })
}

/** Everyone we asked, were asked by, are friends with, or blocked; states in README.md. */
export const contacts = fold({
  name: 'contacts',
  number: PROJECTION.contacts,
  version: 3,
  on: {
    FriendRequested: friendRequested,
    ContactLearned: contactLearned,
    FriendRequestSent: friendRequestSent,
    FriendRequestReceived: friendRequestReceived,
    FriendAccepted: friendAccepted,
    FriendAcceptanceReceived: friendAcceptanceReceived,
    FriendRejected: friendRejected,
    FriendSecretReceived: friendSecretReceived,
    ContactCardReceived: contactCardReceived,
    ContactEndpointsLearned: contactEndpointsLearned,
    ContactDeviceSeen: contactDeviceSeen,
    ContactDoubted: contactDoubted,
    ContactBlocked: contactBlocked,
    ContactUnblocked: contactUnblocked,
    ContactRemoved: ({ data }: FactOf<'ContactRemoved'>, tx) => dropContact(tx, data.id),
  },
})
