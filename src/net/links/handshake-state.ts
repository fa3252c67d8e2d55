import * as v from 'valibot'
import { concat } from '../../foundation/bytes.js'
import { NONCE_BYTES, seal, unseal } from '../../foundation/crypto.js'
import type { ContactRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import { type Announced, type Announcement, announcementFields } from './announcement.js'
import type { FinalKeys, Parties, Role } from './handshake-schedule.js'
import type { PinnedPeer } from './peer.js'
import type { Session } from './session.js'

export interface HandshakeParams {
  readonly vault: Vault
  readonly row: ContactRow
  /** What opened the carrier (SPEC § 6.2). */
  readonly proof: Uint8Array
  readonly sessionKey: Uint8Array
  readonly own: Announcement
}
export type HandshakeInput =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** Null is carried on like any other wrong secret, and fails at the MAC. */
  | { readonly kind: 'oaep-opened'; readonly secret: Uint8Array | null }
export type HandshakeFailure =
  /** The row does not allow it, or nothing is pinned. */
  | 'denied'
  | 'malformed'
  | 'unopened'
  | 'out-of-order'
  /** The device's statement is not one that the peer's address key made. */
  | 'device'
  /** The peer does not hold the private key that is pinned, or has another key of ours. */
  | 'not-the-peer'
export type HandshakeEffect =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'open-oaep'; readonly ciphertext: Uint8Array; readonly label: Uint8Array }
  | { readonly kind: 'established'; readonly session: Session; readonly peer: Announced }
  | { readonly kind: 'failed'; readonly reason: HandshakeFailure }

/** What stays the same all along. */
export interface Ground {
  readonly vault: Vault
  readonly row: ContactRow
  readonly peer: PinnedPeer
  readonly parties: Parties
  readonly sessionKey: Uint8Array
  readonly own: Announcement
}

interface Ended {
  readonly role: Role
  readonly stage: 'established' | 'failed'
}
export type InitiatorStage =
  | {
      readonly role: 'initiator'
      readonly stage: 'awaiting-b'
      readonly ground: Ground
      readonly transcript: Uint8Array
      readonly ephemeralSecret: Uint8Array
      readonly kemSecret: Uint8Array
    }
  | {
      readonly role: 'initiator'
      readonly stage: 'awaiting-d'
      readonly ground: Ground
      readonly transcript: Uint8Array
      readonly hs: Uint8Array
      readonly s1: Uint8Array
    }
  | {
      readonly role: 'initiator'
      readonly stage: 'opening-d'
      readonly ground: Ground
      /** With d's part and both identities mixed in. */
      readonly bound: Uint8Array
      readonly hs: Uint8Array
      readonly s1: Uint8Array
      readonly theirMac: Uint8Array
      readonly announced: Announced
      readonly message: Uint8Array
    }
  | Ended
export type ResponderStage =
  | {
      readonly role: 'responder'
      readonly stage: 'awaiting-a'
      readonly ground: Ground
      readonly transcript: Uint8Array
    }
  | {
      readonly role: 'responder'
      readonly stage: 'awaiting-c'
      readonly ground: Ground
      readonly transcript: Uint8Array
      readonly hs: Uint8Array
    }
  | {
      readonly role: 'responder'
      readonly stage: 'opening-c'
      readonly ground: Ground
      readonly transcript: Uint8Array
      readonly hs: Uint8Array
      readonly announced: Announced
    }
  | {
      readonly role: 'responder'
      readonly stage: 'awaiting-e'
      readonly ground: Ground
      readonly transcript: Uint8Array
      readonly hs: Uint8Array
      readonly keys: FinalKeys
      readonly announced: Announced
    }
  | Ended
/** Opaque to others; the state passed in must not be used again. */
export type Handshake = InitiatorStage | ResponderStage
export type HandshakeStep = [Handshake, HandshakeEffect[]]

/** A link cannot be talked into memory: c and d hold 1024 bytes of RSA and a few fields, reserved ones included. */
export const MAX_HANDSHAKE_BYTES = 8 * 1024
const ONCE = new Uint8Array(NONCE_BYTES)
const epochField = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff))

/** The fields of c and d; what else they hold is reserved. */
export const fieldsOfC = v.object({ epoch: epochField, peerEpoch: epochField, ...announcementFields })
export const fieldsOfD = v.object({ epoch: epochField, ...announcementFields })

/** Every key of a handshake seals one message: the nonce may be zero. */
export function sealOnce(key: Uint8Array, transcript: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  return seal(key, ONCE, transcript, concat(...parts))
}
export function unsealOnce(key: Uint8Array, transcript: Uint8Array, bytes: Uint8Array): Buffer | null {
  return unseal(key, ONCE, transcript, bytes)
}

export function fail(role: Role, reason: HandshakeFailure): HandshakeStep {
  return [{ role, stage: 'failed' }, [{ kind: 'failed', reason }]]
}
