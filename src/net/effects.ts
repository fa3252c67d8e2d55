import type { ErrorCode } from '../foundation/errors.js'
import type { Endpoint, Fact, Presence, StoredFact, UserId } from '../events/vocabulary/facts.js'

/** Numbers the node gives out; each is used once in a run. */
export type CarrierId = number
export type Ticket = number
export type Job = number

/** What a caller proved inside an ordinary-looking request (SPEC § 6.2), as both ends know it. */
export type Proven =
  | {
      readonly kind: 'contact'
      readonly who: UserId
      readonly proof: Uint8Array
      readonly sessionKey: Uint8Array
    }
  | {
      readonly kind: 'intro'
      readonly proof: Uint8Array
      readonly sessionKey: Uint8Array
      /** The caller's ephemeral public key and the introduction key it used. */
      readonly ephemeral: Uint8Array
      readonly introduction: Uint8Array
    }

/** What the caller asked for and the node was able to do. */
export type Command =
  | { readonly kind: 'check'; readonly who: UserId }
  | { readonly kind: 'lookup'; readonly id: UserId }
  | { readonly kind: 'chat-opened'; readonly who: UserId }
  | { readonly kind: 'announce' }
  | { readonly kind: 'tracker-check' }

export type CommandResult =
  | { readonly kind: 'check'; readonly status: Presence; readonly how: string; readonly age: number }
  | {
      readonly kind: 'lookup'
      readonly id: UserId
      readonly nickname: string | null
      readonly avatar: Uint8Array | null
      readonly reachable: boolean
    }
  | { readonly kind: 'done' }
  | { readonly kind: 'tracker-check'; readonly trackers: readonly TrackerHealth[] }

export interface TrackerHealth {
  readonly url: string
  readonly ok: boolean
  readonly latencyMs: number | null
}

/** Everything that reaches the node from outside. Bytes are untrusted; facts are durable and projected already. */
export type Input =
  | { readonly kind: 'start' }
  | { readonly kind: 'wake' }
  | { readonly kind: 'fact'; readonly fact: StoredFact }
  | { readonly kind: 'appended'; readonly ticket: Ticket }
  | { readonly kind: 'listening'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'accepted'; readonly carrier: CarrierId; readonly proven: Proven }
  | { readonly kind: 'dialled'; readonly carrier: CarrierId }
  | { readonly kind: 'dial-failed'; readonly carrier: CarrierId; readonly reason: string }
  | { readonly kind: 'message'; readonly carrier: CarrierId; readonly bytes: Uint8Array }
  | { readonly kind: 'closed'; readonly carrier: CarrierId }
  | { readonly kind: 'oaep-opened'; readonly job: Job; readonly secret: Uint8Array | null }
  | { readonly kind: 'datagram'; readonly tracker: string; readonly bytes: Uint8Array }
  | { readonly kind: 'command'; readonly ticket: Ticket; readonly command: Command }
  | { readonly kind: 'stop' }

/** Everything the node wants done. The gate carries out what its policy allows, the profile appends. */
export type Effect =
  /** Append in one group; when durable and projected, `appended` comes back with the ticket (after the `fact` inputs). */
  | { readonly kind: 'append'; readonly facts: readonly Fact[]; readonly ticket?: Ticket }
  /** Dial `endpoint` with `proof` as the cookie; the host is part of the proof. Answer: dialled or dial-failed. */
  | {
      readonly kind: 'dial'
      readonly carrier: CarrierId
      readonly who: UserId
      readonly endpoint: Endpoint
      readonly path: string
      readonly proof: Uint8Array
    }
  | { readonly kind: 'send'; readonly carrier: CarrierId; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly carrier: CarrierId }
  /** RSA-OAEP with the profile's private key, asynchronously. Answer: oaep-opened. */
  | {
      readonly kind: 'open-oaep'
      readonly job: Job
      readonly ciphertext: Uint8Array
      readonly label: Uint8Array
    }
  | { readonly kind: 'datagram'; readonly tracker: string; readonly bytes: Uint8Array }
  /** Ask for `wake` at that time; the earliest asked for counts, a later ask does not cancel it. */
  | { readonly kind: 'wake'; readonly at: number }
  | { readonly kind: 'answer'; readonly ticket: Ticket; readonly result: CommandResult }
  | { readonly kind: 'refuse'; readonly ticket: Ticket; readonly code: ErrorCode; readonly detail?: string }

/** Every protocol of this room: no clock, sockets or randomness inside. The state passed in must not be used again. */
export type Step<State, In, Out> = (
  state: State,
  input: In,
  now: number,
  rng: import('../foundation/rng.js').Rng,
) => [State, Out[]]
