import type { Card, PublicIdentity, UserId } from '../../events/vocabulary/facts.js'
import type { Vault } from '../gate/vault.js'
import type { IntroResult, RequestBody } from './intro-messages.js'
import type { Chain } from './intro-schedule.js'

export interface IntroInitiatorParams {
  readonly vault: Vault
  /** The introduction key that the proof was made with, 32 bytes. */
  readonly introduction: Uint8Array
  readonly proof: Uint8Array
  readonly sessionKey: Uint8Array
  readonly ephemeralSecret: Uint8Array
  /** The 32-byte address we expect to find. */
  readonly expect: Uint8Array
  /** Null: a look-up, which ends after the hello. */
  readonly request: RequestBody | null
}
export interface IntroResponderParams {
  readonly vault: Vault
  readonly introductionSecret: Uint8Array
  readonly introductionPublic: Uint8Array
  readonly ephemeral: Uint8Array
  readonly proof: Uint8Array
  readonly sessionKey: Uint8Array
  readonly card: Card & { readonly discoverable: boolean }
  readonly workBits: number
}
export type IntroInput =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'decided'; readonly result: IntroResult }
  /** Answer to the effect `work`: search on. */
  | { readonly kind: 'work' }
export type IntroFailure =
  | 'malformed'
  | 'unopened'
  | 'out-of-order'
  /** Certificate, key or MD5 do not belong together, or not to the ID that was asked. */
  | 'bad-identity'
  /** The request came without the work that was asked. */
  | 'no-work'
  /** More work is asked than anyone should do. */
  | 'too-much-work'
  /** Our own request is above 16 KiB. */
  | 'too-large'
export type IntroEffect =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** The proof of work is not found yet: call step with `work` when there is time (a chunk takes about 25 ms). */
  | { readonly kind: 'work' }
  /** Initiator: who stands behind the introduction key, verified; `card` is null when it does not show one. */
  | {
      readonly kind: 'hello'
      readonly identity: PublicIdentity
      readonly id: UserId
      readonly card: Card | null
      readonly discoverable: boolean
    }
  /** Responder: a verified request, work included. Make it durable, then answer with `decided`. */
  | {
      readonly kind: 'request'
      readonly identity: PublicIdentity
      readonly id: UserId
      readonly request: RequestBody
    }
  | { readonly kind: 'result'; readonly result: IntroResult }
  | { readonly kind: 'failed'; readonly reason: IntroFailure }

interface Ended {
  readonly role: 'initiator' | 'responder'
  /** `done`: after the hello of a look-up, after the result, after the answer. */
  readonly stage: 'done' | 'failed'
}
export type IntroInitiator =
  | {
      readonly role: 'initiator'
      readonly stage: 'awaiting-hello'
      readonly params: IntroInitiatorParams
      readonly chain: Chain
      readonly kemSecret: Uint8Array
    }
  | {
      readonly role: 'initiator'
      readonly stage: 'working'
      readonly params: IntroInitiatorParams
      readonly request: RequestBody
      readonly chain: Chain
      readonly responderEphemeral: Uint8Array
      readonly bits: number
      readonly next: number
    }
  | {
      readonly role: 'initiator'
      readonly stage: 'awaiting-result'
      readonly chain: Chain
    }
  | Ended
export type IntroResponder =
  | {
      readonly role: 'responder'
      readonly stage: 'awaiting-key'
      readonly params: IntroResponderParams
      readonly chain: Chain
    }
  | {
      readonly role: 'responder'
      readonly stage: 'awaiting-request'
      readonly params: IntroResponderParams
      readonly chain: Chain
      readonly ephemeralSecret: Uint8Array
    }
  | {
      readonly role: 'responder'
      readonly stage: 'deciding'
      readonly chain: Chain
    }
  | Ended
/** Opaque to others; the state passed in must not be used again. */
export type Intro = IntroInitiator | IntroResponder
export type IntroStep = [Intro, IntroEffect[]]

/** Identity, request and padding, with room. */
export const MAX_INTRO_BYTES = 32 * 1024

export function failIntro(role: Intro['role'], reason: IntroFailure): IntroStep {
  return [{ role, stage: 'failed' }, [{ kind: 'failed', reason }]]
}
