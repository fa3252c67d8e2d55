import type { Rng } from '../../foundation/rng.js'
import type { ContactRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import type { Session } from './session.js'

export type Role = 'initiator' | 'responder'
export interface HandshakeParams {
  readonly vault: Vault
  readonly row: ContactRow
  readonly proof: Uint8Array
  readonly sessionKey: Uint8Array
}
export type HandshakeInput =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'oaep-opened'; readonly secret: Uint8Array | null }
export type HandshakeFailure = 'denied' | 'malformed' | 'unopened' | 'out-of-order' | 'not-the-peer'
export type HandshakeEffect =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'open-oaep'; readonly ciphertext: Uint8Array; readonly label: Uint8Array }
  | { readonly kind: 'established'; readonly session: Session }
  | { readonly kind: 'failed'; readonly reason: HandshakeFailure }
/** Opaque; the state passed in must not be used again. */
export interface Handshake {
  readonly role: Role
  readonly stage: string
}
export declare function beginHandshake(
  role: Role,
  params: HandshakeParams,
  rng: Rng,
): [Handshake, HandshakeEffect[]]
export declare function stepHandshake(
  state: Handshake,
  input: HandshakeInput,
  rng: Rng,
): [Handshake, HandshakeEffect[]]
