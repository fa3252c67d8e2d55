import type { FactData, FactType, LetterKind, StoredFact, UserId } from '../../events/vocabulary/facts.js'

/** What of a log is shown; times are milliseconds since 1970, both inclusive. */
export interface Selection {
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly with?: UserId | undefined
}

/** Whom a fact is about, and whether it may leave the profile at all. */
interface Rule<T extends FactType> {
  readonly about: (data: FactData[T]) => UserId | null
  /** It holds what opens something: only its commitment is ever exported. */
  readonly secret: boolean | ((data: FactData[T]) => boolean)
}

const nobody = () => null
const id = (data: { readonly id?: UserId }) => data.id ?? null
const to = (data: { readonly to: UserId }) => data.to
const from = (data: { readonly from: UserId }) => data.from
const by = (data: { readonly by?: UserId }) => data.by ?? null

/** Letters that carry tokens and friend secrets. */
const SECRET_LETTERS: readonly LetterKind[] = ['friend-accept', 'friend-secret']
const secretLetter = ({ kind }: { readonly kind: LetterKind }) => SECRET_LETTERS.includes(kind)

const open = <D>(about: (data: D) => UserId | null) => ({ about, secret: false })
const secret = <D>(about: (data: D) => UserId | null) => ({ about, secret: true })

/** Every type has to be decided on: a fact that is forgotten here would be one that leaks. */
const RULES: { readonly [T in FactType]: Rule<T> } = {
  LogRecovered: open(nobody),
  ContentForgotten: open(nobody),
  ContentErased: open(nobody),
  LogKeyRotated: open(nobody),
  IdentityCreated: open(nobody),
  RecoverySeedKept: secret(nobody),
  ProfileChanged: open(nobody),
  IntroductionKeyDrawn: secret(nobody),
  FriendSecretDrawn: secret(nobody),
  OwnStatusChanged: open(nobody),
  LoggedIn: open(nobody),
  LoggedOut: open(nobody),
  SettingChanged: open(nobody),
  BackupMade: open(nobody),
  DeviceActivated: open(nobody),
  DeviceSuperseded: open(by),
  DeviceConflict: open(by),
  TrackerAdded: open(nobody),
  TrackerRemoved: open(nobody),
  FriendRequested: secret(id),
  ContactLearned: open(id),
  FriendRequestSent: open(id),
  FriendRequestReceived: secret(id),
  FriendAccepted: secret(id),
  FriendAcceptanceReceived: secret(id),
  FriendRejected: open(id),
  FriendSecretReceived: secret(id),
  ContactCardReceived: open(id),
  ContactEndpointsLearned: open(id),
  ContactBlocked: open(id),
  ContactUnblocked: open(id),
  ContactRemoved: open(id),
  ContactStatusChanged: open(id),
  ContactDeviceSeen: open(id),
  ContactDoubted: open(id),
  DisappearingSet: open((data) => data.with),
  MessageQueued: { about: to, secret: secretLetter },
  MessageSent: open(to),
  MessageDelivered: open(to),
  MessageRead: open(to),
  MessageFailed: open(to),
  MessagesRequeued: open(to),
  MessageReceived: { about: from, secret: secretLetter },
  MessagesShown: open(from),
  GateRefused: open(id),
}

/** Whether this fact is to be shown, and may be. */
export function isSelected(selection: Selection, fact: StoredFact): boolean {
  const { about, secret: kept } = RULES[fact.type] as unknown as Rule<FactType>
  if (typeof kept === 'boolean' ? kept : kept(fact.data)) return false
  if (selection.with !== undefined && about(fact.data) !== selection.with) return false
  return fact.at >= (selection.from ?? 0) && fact.at <= (selection.to ?? Infinity)
}

/** Everything that may be shown is. */
export function isEverything(selection: Selection): boolean {
  return selection.from === undefined && selection.to === undefined && selection.with === undefined
}
