import type { Endpoint, FactData, UserId } from '../../events/vocabulary/facts.js'
import type { Rng } from '../../foundation/rng.js'
import type { View } from '../../projections/view.js'
import type { Clock } from '../clock.js'
import type { Effect, Input } from '../effects.js'
import type { ConnectionReport } from './connections.js'
import type { Resolve } from './names.js'
import type { Vault } from './vault.js'

/** The effects that leave this machine or need a private key. */
export type GateEffect = Extract<Effect, { kind: 'dial' | 'send' | 'close' | 'open-oaep' | 'datagram' }>
export type GateInput = Extract<
  Input,
  {
    kind: 'accepted' | 'dialled' | 'dial-failed' | 'message' | 'closed' | 'oaep-opened' | 'datagram'
  }
>
export type Refusal = FactData['GateRefused']

export interface GateOptions {
  readonly view: View
  readonly vault: Vault
  readonly rng: Rng
  readonly clock: Clock
  /** What the site of this installation is drawn from, 32 secret bytes. */
  readonly siteSeed: Uint8Array
  onInput(input: GateInput): void
  /** What was not let out or in; already rate-limited. */
  onRefused(refusal: Refusal): void
  /** The system's resolver unless a test gives its own. */
  readonly resolve?: Resolve
}

/** Bytes to and from one person since the gate opened. */
export interface Traffic {
  readonly who: UserId
  readonly bytesIn: number
  readonly bytesOut: number
  readonly carriers: number
}

export interface Gate {
  perform(effect: GateEffect): void
  /** @throws cannot-listen, bad-endpoint */
  listen(endpoint: Endpoint): Promise<Endpoint>
  /** Lets a person who has no row be dialled until the returned function is called. */
  permitLookup(who: UserId): () => void
  /** Stops reading from all peers (`true`) while what they sent is not durable yet. */
  hold(on: boolean): void
  connections(): Promise<ConnectionReport>
  traffic(): readonly Traffic[]
  /** Says goodbye to every peer and closes every socket; idempotent. */
  close(): Promise<void>
}
