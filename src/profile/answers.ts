import type { UserId } from '../events/vocabulary/facts.js'
import { toHex } from '../foundation/bytes.js'
import { md5, sha256 } from '../foundation/crypto.js'
import type { ContactRow, MessageRow, PresenceRow, View } from '../projections/view.js'
import { selfOf } from './decisions/context.js'

/** The shapes of docs/CLI.md: what commands print with --json and what travels over the local socket. */
export interface PresenceAnswer {
  readonly status: PresenceRow['status']
  readonly how: PresenceRow['how']
  /** Milliseconds since it was learned; null when nothing ever was. */
  readonly age: number | null
}

export interface FriendAnswer extends PresenceAnswer {
  readonly id: UserId
  readonly nickname: string
  readonly state: ContactRow['state']
  readonly verified: boolean
  readonly doubt: string | null
  /** SHA-256 of their public key, hex; null before first contact. */
  readonly fingerprint: string | null
  readonly endpoints: readonly string[]
  readonly pending: number
}

export interface MessageAnswer {
  readonly messageId: string
  readonly direction: 'in' | 'out'
  readonly from: { readonly id: UserId; readonly nickname: string }
  readonly text: string
  /** The sender's time stamp, milliseconds since 1970. */
  readonly at: number
  readonly state: MessageRow['state']
}

export function presenceAnswer(row: PresenceRow, now: number): PresenceAnswer {
  const { status, how, at } = row
  return { status, how, age: how === 'none' ? null : Math.max(0, now - at) }
}

export function friendAnswer(view: View, contact: ContactRow, now: number): FriendAnswer {
  const { id, nickname, state, verified, doubt, endpoints } = contact
  const pending = view.outboxPeers().find((peer) => peer.id === id)?.pending ?? 0
  const fingerprint = contact.spki === null ? null : fingerprintOf(contact.spki)
  const presence = presenceAnswer(view.presence(id), now)
  return { id, nickname, state, verified, doubt, ...presence, fingerprint, endpoints, pending }
}

export function messageAnswer(view: View, message: MessageRow): MessageAnswer {
  const { messageId, direction, text, sentAt, state } = message
  return { messageId, direction, from: authorOf(view, message), text, at: sentAt, state }
}

function authorOf(view: View, { direction, with: id }: MessageRow): MessageAnswer['from'] {
  if (direction === 'in') return { id, nickname: view.contact(id)?.nickname ?? '' }
  const self = selfOf(view)
  return { id: self.id, nickname: self.nickname }
}

export function fingerprintOf(spki: Uint8Array): string {
  return toHex(sha256(spki))
}

export function md5Of(bytes: Uint8Array): string {
  return toHex(md5(bytes))
}
