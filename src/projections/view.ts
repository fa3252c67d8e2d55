import type {
  Endpoint,
  FactData,
  FactOf,
  LetterBody,
  LetterKind,
  MessageId,
  Presence,
  UserId,
} from '../events/vocabulary/facts.js'

/** Oneself, as the log tells it. */
export interface SelfRow {
  readonly id: UserId
  readonly certificate: Uint8Array
  readonly spki: Uint8Array
  readonly nickname: string
  readonly avatar: Uint8Array | null
  readonly discoverable: boolean
  /** Newest last; the last two serve (SPEC § 6.2). */
  readonly introductionKeys: readonly FactData['IntroductionKeyDrawn'][]
  readonly friendSecret: Uint8Array | null
  readonly status: 'online' | 'offline'
  readonly endpoints: readonly Endpoint[]
  readonly loggedOut: boolean
  /**
   * The record that holds the seed of the recovery key, and whether a backup has taken it along; null when it is forgotten,
   * or was never here. The seed itself stands nowhere but in that record.
   */
  readonly recovery: { readonly seq: number; readonly backedUp: boolean } | null
  /** The device that speaks for us, as this log knows it; null before any was activated (SPEC § 2.5). */
  readonly device: DeviceRow | null
  /** A newer device speaks for us: we send nothing any more. */
  readonly superseded: AgainstUs | null
  /** Another device speaks for us in the same epoch: we send nothing until a newer epoch settles it. */
  readonly deviceConflict: AgainstUs | null
}

/** A device as its statement (123 bytes) proves it; `device` is 16 bytes. */
export interface DeviceRow {
  readonly epoch: number
  readonly device: Uint8Array
  readonly statement: Uint8Array
}

/** The epoch of a device that speaks against ours, and who told of it. */
export type AgainstUs = Pick<FactData['DeviceSuperseded'], 'epoch' | 'how'>

export type ContactState = 'requested' | 'incoming' | 'friend' | 'blocked'

export interface ContactRow {
  readonly id: UserId
  readonly state: ContactState
  readonly nickname: string
  readonly avatar: Uint8Array | null
  /** Pinned at first contact; null while we only know an ID. */
  readonly certificate: Uint8Array | null
  readonly spki: Uint8Array | null
  /** What they show us to get in; null when they may not. */
  readonly admits: Uint8Array | null
  /** What we show them to get in; null when we cannot. */
  readonly shows: Uint8Array | null
  /** Their friend secret (tracker, SPEC § 8.1). */
  readonly secret: Uint8Array | null
  readonly endpoints: readonly Endpoint[]
  readonly text: string | null
  /** When the request was made or came. */
  readonly at: number
  /** Our request is durable at the other side. */
  readonly requestSent: boolean
  readonly verified: boolean
  readonly doubt: string | null
  /** Their newest device; null while none has shown itself. */
  readonly device: DeviceRow | null
  /** Another device of the same epoch: neither is talked to. */
  readonly rival: DeviceRow | null
}

export interface PresenceRow {
  readonly status: Presence
  readonly how: 'link' | 'check' | 'tracker' | 'none'
  readonly at: number
}

/** A letter that still has to arrive: the to-be-sent table. */
export type OutboxRow = LetterBody & {
  readonly messageId: MessageId
  readonly checkCode: Uint8Array
  readonly to: UserId
  readonly sentAt: number
  readonly state: 'queued' | 'sent'
}

export interface TrailStep {
  readonly at: number
  readonly what: string
  readonly how?: string
}
export type MessageState = 'queued' | 'sent' | 'delivered' | 'read' | 'failed' | 'received'

/** One text of a conversation. */
export interface MessageRow {
  readonly messageId: MessageId
  readonly direction: 'in' | 'out'
  readonly with: UserId
  readonly text: string
  /** The sender's own time stamp, as sent. */
  readonly sentAt: number
  /** What messages are ordered by (then by check code): sentAt, but at most five minutes after it came. Differs = mark it. */
  readonly orderedAt: number
  readonly checkCode: Uint8Array
  readonly state: MessageState
  readonly shown: boolean
  /** The records that hold it: the first, and what came under its ID after that. */
  readonly seqs: readonly number[]
  readonly trail: readonly TrailStep[]
}

/** A conversation whose messages disappear. */
export interface TimerRow {
  readonly with: UserId
  /** Milliseconds. */
  readonly afterMs: number
}

export interface ConversationRow {
  readonly with: UserId
  readonly messages: number
  readonly unread: number
  readonly lastAt: number
}

/** Who may be talked to, and where: the firewall's allow-list. */
export interface AllowRow {
  readonly kind: 'contact' | 'tracker'
  /** User ID or tracker URL. */
  readonly who: string
  readonly endpoints: readonly Endpoint[]
  /** Those of `endpoints` that the user gave (`how: 'hand'`): the gate lets them out as given. */
  readonly byHand?: readonly Endpoint[]
}

/** Everything shown and everything the network does is read from here. Synchronous; reads the state after `seq`. */
export interface View {
  readonly seq: number
  self(): SelfRow | undefined
  contact(id: UserId): ContactRow | undefined
  contacts(): readonly ContactRow[]
  presence(id: UserId): PresenceRow
  /** Acceptances, then other control letters, then texts, each in order of time stamp, then check code; at most `limit`. */
  outbox(to: UserId, limit?: number): readonly OutboxRow[]
  /** Everyone for whom something is kept, with how much. */
  outboxPeers(): readonly { readonly id: UserId; readonly pending: number }[]
  message(id: MessageId): MessageRow | undefined
  /**
   * A letter of that ID was queued or received before: always true while its text is here, and for 90 days after it was
   * forgotten or if it is none.
   */
  seen(id: MessageId, sentAt: number): boolean
  /** The newest `limit` with orderedAt ≥ since, oldest first. Opens only the pages it shows. */
  conversation(
    id: UserId,
    options?: { readonly since?: number; readonly limit?: number },
  ): readonly MessageRow[]
  /** The IDs of what `conversation` would show, and their order, without opening the messages. */
  conversationIds(
    id: UserId,
    options: { readonly since: number; readonly limit: number },
  ): readonly Pick<MessageRow, 'messageId' | 'orderedAt'>[]
  /** The newest `limit` letters of that day or later that were forgotten on purpose, oldest first; days since 1970, UTC. */
  forgotten(
    sinceDay: number,
    limit: number,
  ): readonly { readonly messageId: MessageId; readonly day: number }[]
  /** The first `limit` records that were forgotten and may still be on the disk (SPEC § 4.7). */
  erasures(limit: number): readonly number[]
  /** Milliseconds; null when their messages stay. */
  disappearsAfter(id: UserId): number | null
  timers(): readonly TimerRow[]
  /** When this message disappears; null when it stays, or its time has not begun. */
  disappearsAt(message: MessageRow): number | null
  /** At most `limit` messages whose time has run out at `now`. */
  expired(now: number, limit: number): readonly MessageId[]
  /** How many messages with this person would disappear if their time were up for what began at `since` or before. */
  overdue(id: UserId, since: number): number
  /** When the next message disappears; null when none is on its way to. */
  nextExpiry(): number | null
  conversations(): readonly ConversationRow[]
  unshown(id: UserId): readonly MessageId[]
  trackers(): readonly { readonly url: string; readonly at: number }[]
  setting(key: string): string | number | boolean | null | undefined
  settings(): Readonly<Record<string, string | number | boolean | null>>
  allowed(): readonly AllowRow[]
}

export type { FactOf, LetterKind }
