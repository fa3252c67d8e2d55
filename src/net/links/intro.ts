import type { Card, Endpoint, PublicIdentity, UserId } from '../../events/vocabulary/facts.js'
import type { Rng } from '../../foundation/rng.js'
import type { Vault } from '../gate/vault.js'

export interface RequestBody extends Card {
  readonly token: Uint8Array
  readonly endpoints: readonly Endpoint[]
  readonly text?: string
  readonly at: number
}
export type IntroResult = 'queued' | 'busy' | 'refused'
export interface IntroInitiatorParams {
  readonly vault: Vault
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
  'malformed' | 'unopened' | 'out-of-order' | 'not-the-peer' | 'bad-identity' | 'no-work' | 'too-much-work'
export type IntroEffect =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** The proof of work is not found yet: call step with `work` when there is time (a chunk takes about 30 ms). */
  | { readonly kind: 'work' }
  /** Initiator: who stands behind the introduction key, verified; `card` is null when it is not discoverable. */
  | {
      readonly kind: 'hello'
      readonly identity: PublicIdentity
      readonly id: UserId
      readonly card: Card | null
      readonly discoverable: boolean
    }
  /** Responder: a verified request, work included. Append it, then answer with `decided`. */
  | {
      readonly kind: 'request'
      readonly identity: PublicIdentity
      readonly id: UserId
      readonly request: RequestBody
    }
  | { readonly kind: 'result'; readonly result: IntroResult }
  | { readonly kind: 'failed'; readonly reason: IntroFailure }
/** Opaque; the state passed in must not be used again. `done` after the hello of a look-up, the result, or the answer. */
export interface Intro {
  readonly stage: string
}
export declare function beginIntro(
  role: 'initiator',
  params: IntroInitiatorParams,
  rng: Rng,
): [Intro, IntroEffect[]]
export declare function beginIntro(
  role: 'responder',
  params: IntroResponderParams,
  rng: Rng,
): [Intro, IntroEffect[]]
export declare function stepIntro(
  state: Intro,
  input: IntroInput,
  now: number,
  rng: Rng,
): [Intro, IntroEffect[]]
