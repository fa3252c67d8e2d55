import type { Message } from '../records.js'

/** A log, ours or another one's, for the one work that is measured. */
export interface BenchStore {
  /** All of it durable when it resolves. */
  append(messages: readonly Message[]): Promise<void>
  close(): Promise<void>
}

export interface StoreKind {
  readonly name: string
  /** A peer that keeps plain text may only be easier, so it counts in ratios; hypercore does not sync, and is only shown. */
  readonly counts: boolean
  create(directory: string): Promise<BenchStore>
  /** Opens what was written before and gives every message, in order. */
  replay(directory: string, take: (message: Message) => void): Promise<void>
}
