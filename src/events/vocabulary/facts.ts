/**
 * Everything that can have happened. Facts are past-tense, immutable and carry plain data; `at` and `seq` are the
 * log's. IDs are the 60-character text of SPEC § 0.2; message IDs are 32 hex characters (SPEC § 7.2); times are
 * milliseconds since 1970; secrets and keys are raw bytes.
 */
export type UserId = string
export type MessageId = string

/** `HOST:PORT`; an IPv6 host stands in brackets. */
export type Endpoint = string

export type Via = 'link' | 'post'
export type Presence = 'online' | 'offline' | 'unknown'
export type LetterKind = 'text' | 'friend-accept' | 'friend-secret' | 'profile' | 'read'

/** Own and other people's public identity: certificate (SPEC § 2.4) and SubjectPublicKeyInfo DER. */
export interface PublicIdentity {
  readonly certificate: Uint8Array
  readonly spki: Uint8Array
}

/** What a person shows of itself; `avatar` is a PNG or JPEG of at most 8 KiB. */
export interface Card {
  readonly nickname: string
  readonly avatar?: Uint8Array
}

/** The body of a letter, by kind (SPEC § 7.3). */
export interface LetterBodies {
  text: { readonly text: string }
  'friend-accept': Card & {
    readonly token: Uint8Array
    readonly secret: Uint8Array
    readonly endpoints: readonly Endpoint[]
  }
  'friend-secret': { readonly secret: Uint8Array }
  profile: Card
  read: { readonly ids: readonly MessageId[] }
}
export type LetterBody = {
  [K in LetterKind]: { readonly kind: K; readonly body: LetterBodies[K] }
}[LetterKind]

export interface FactData {
  // the log about itself
  LogRecovered: {
    readonly segment: number
    readonly offset: number
    readonly bytes: number
    readonly ambiguous: boolean
  }
  /**
   * What is named here counts as never said, from here on and at every replay; its records are then erased (SPEC § 4.7).
   * `day` is ⌊sentAt / 86 400 000⌋: enough to know the letter again, should it come again.
   */
  ContentForgotten: {
    readonly letters: readonly { readonly messageId: MessageId; readonly day: number }[]
    readonly seqs: readonly number[]
    readonly why: 'asked' | 'disappeared' | 'backup'
  }
  /** The bodies and salts of these records are gone from the disk. */
  ContentErased: { readonly seqs: readonly number[] }
  /** Every segment is under a new KEK, and the old ones are gone. */
  LogKeyRotated: { readonly generation: number }

  // oneself
  IdentityCreated: PublicIdentity & {
    readonly id: UserId
    readonly origin: 'generated' | 'imported' | 'restored'
  }
  RecoverySeedKept: { readonly seed: Uint8Array }
  ProfileChanged: {
    readonly nickname?: string
    readonly avatar?: Uint8Array | null
    readonly discoverable?: boolean
  }
  IntroductionKeyDrawn: { readonly month: number; readonly secret: Uint8Array; readonly public: Uint8Array }
  FriendSecretDrawn: { readonly secret: Uint8Array }
  OwnStatusChanged: { readonly status: 'online' | 'offline'; readonly endpoints: readonly Endpoint[] }
  LoggedIn: { readonly form: 'file' }
  LoggedOut: Readonly<Record<string, never>>
  SettingChanged: { readonly key: string; readonly value: string | number | boolean | null }
  BackupMade: { readonly form: 'file'; readonly epoch: number }
  /** This device speaks for the identity from here on (SPEC § 2.5). `device` is 16 bytes, `statement` 123. */
  DeviceActivated: { readonly epoch: number; readonly device: Uint8Array; readonly statement: Uint8Array }
  /** A newer device speaks for us: this one sends nothing any more. */
  DeviceSuperseded: DeviceEvidence
  /** Another device speaks for us in the same epoch. */
  DeviceConflict: DeviceEvidence

  // trackers
  TrackerAdded: { readonly url: string }
  TrackerRemoved: { readonly url: string }

  // people
  /** We asked; `token` is what they show us to get in. State: requested. */
  FriendRequested: { readonly id: UserId; readonly token: Uint8Array; readonly text?: string }
  /** First contact told us who stands behind an ID we asked; the certificate is pinned from here on. */
  ContactLearned: PublicIdentity & Card & { readonly id: UserId }
  /** First contact carried our request to them; they said it is durable. */
  FriendRequestSent: { readonly id: UserId }
  /** They asked; `token` is what we show them to get in. State: incoming. */
  FriendRequestReceived: PublicIdentity &
    Card & {
      readonly id: UserId
      readonly token: Uint8Array
      readonly endpoints: readonly Endpoint[]
      readonly text?: string
    }
  /**
   * We accepted theirs; `token` is what they show us. State: friend. Without `as` the user decided it; with `as` the node
   * did, for someone in that state, and it counts only if they are still in it: a removal may have come in between.
   */
  FriendAccepted: { readonly id: UserId; readonly token: Uint8Array; readonly as?: 'requested' | 'friend' }
  /** They accepted ours; `token` is what we show them, `secret` their friend secret. State: friend. */
  FriendAcceptanceReceived: Card & {
    readonly id: UserId
    readonly token: Uint8Array
    readonly secret: Uint8Array
    readonly endpoints: readonly Endpoint[]
  }
  FriendRejected: { readonly id: UserId }
  FriendSecretReceived: { readonly id: UserId; readonly secret: Uint8Array }
  ContactCardReceived: Card & { readonly id: UserId }
  ContactEndpointsLearned: {
    readonly id: UserId
    readonly endpoints: readonly Endpoint[]
    readonly how: 'tracker' | 'link' | 'request' | 'hand'
  }
  ContactBlocked: { readonly id: UserId }
  ContactUnblocked: { readonly id: UserId }
  ContactRemoved: { readonly id: UserId }
  ContactStatusChanged: {
    readonly id: UserId
    readonly status: Presence
    readonly how: 'link' | 'check' | 'tracker'
  }

  /** The newest device of a contact, as it proved itself. */
  ContactDeviceSeen: {
    readonly id: UserId
    readonly epoch: number
    readonly device: Uint8Array
    readonly statement: Uint8Array
  }
  /** Something is wrong with who this is, or with how many. */
  ContactDoubted: { readonly id: UserId; readonly why: 'two-devices' }
  /** Messages with this person are forgotten so long after they were shown, or had arrived there; null: never (SPEC § 4.7). */
  DisappearingSet: { readonly with: UserId; readonly afterMs: number | null }

  // letters; control letters travel in the same outbox as texts
  MessageQueued: LetterBody & {
    readonly messageId: MessageId
    readonly checkCode: Uint8Array
    readonly to: UserId
    readonly sentAt: number
  }
  MessageSent: { readonly messageId: MessageId; readonly to: UserId; readonly how: Via }
  MessageDelivered: { readonly messageId: MessageId; readonly to: UserId }
  MessageRead: { readonly messageId: MessageId; readonly to: UserId }
  MessageFailed: { readonly messageId: MessageId; readonly to: UserId; readonly reason: string }
  /** Texts that `to` had acknowledged and has lost since (SPEC § 6.5, frame 12): they are to be sent again. */
  MessagesRequeued: { readonly to: UserId; readonly messageIds: readonly MessageId[] }
  /** `sentAt` is the sender's unclamped time stamp; the record's own `at` is when it came. */
  MessageReceived: LetterBody & {
    readonly messageId: MessageId
    readonly checkCode: Uint8Array
    readonly from: UserId
    readonly sentAt: number
    readonly how: Via
  }
  /** We have seen these texts of `from`. */
  MessagesShown: { readonly from: UserId; readonly messageIds: readonly MessageId[] }

  // the gate
  GateRefused: {
    readonly what: 'dial' | 'proof' | 'frame' | 'letter' | 'name' | 'connection'
    readonly detail: string
    readonly id?: UserId
  }
}

/** How another device of ours was noticed; `device` is 16 bytes from a contact, 8 from a tracker's record. */
export interface DeviceEvidence {
  readonly epoch: number
  readonly device: Uint8Array
  readonly how: 'tracker' | 'contact'
  readonly by?: UserId
}

export type FactType = keyof FactData
/** A fact before it has a place in the log. */
export type Fact = { [T in FactType]: { readonly type: T; readonly data: FactData[T] } }[FactType]
/** A fact in the log. */
export type StoredFact = {
  [T in FactType]: { readonly seq: number; readonly at: number; readonly type: T; readonly data: FactData[T] }
}[FactType]
/** A record whose body was erased: that it was, when, and of what type, is all there is (SPEC § 4.7). */
export interface ErasedFact {
  readonly seq: number
  readonly at: number
  readonly type: 'Erased'
  readonly data: { readonly of: FactType }
}
export type FactOf<T extends FactType> = Extract<StoredFact, { type: T }>
