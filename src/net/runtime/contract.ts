import type { Endpoint, Fact, StoredFact } from '../../events/vocabulary/facts.js'
import type { Rng } from '../../foundation/rng.js'
import type { View } from '../../projections/view.js'
import type { Clock } from '../clock.js'
import type { Command, CommandResult } from '../effects.js'
import type { Traffic } from '../gate/carriage-table.js'
import type { ConnectionReport } from '../gate/connections.js'
import type { Vault } from '../gate/vault.js'

export interface NetOptions {
  readonly view: View
  readonly vault: Vault
  /** Durable and projected when it resolves. Every fact it appends may also be told by `Net.fact`: each counts once. */
  append(facts: readonly Fact[]): Promise<readonly StoredFact[]>
  /** `HOST:PORT` to be reached at, port 0 for any; null to listen nowhere. */
  readonly listen: Endpoint | null
  readonly clock?: Clock
  readonly rng?: Rng
  /** 32 secret bytes that the site is drawn from; else derived from the address key. */
  readonly siteSeed?: Uint8Array
  /** An error that ended the net (the log failed) or that an input of a peer brought about. */
  onFault?(error: unknown): void
}

export interface Net {
  /** Where it listens, with the port it got; null when it does not. */
  readonly listening: Endpoint | null
  /**
   * @throws the refusal of the node (unreachable, no-tracker, …); unreachable or tracker-unreachable when no answer came
   * in time; cancelled when the net was stopped
   */
  command(command: Command, timeoutMs?: number): Promise<CommandResult>
  /** Tells of an appended fact; told twice, it counts once. */
  fact(fact: StoredFact): void
  connections(): Promise<ConnectionReport>
  traffic(): readonly Traffic[]
  /** Lets the node say goodbye, closes every socket; idempotent. */
  stop(): Promise<void>
}
