import type { ErasedFact, StoredFact } from '../../events/vocabulary/facts.js'

/** `link` is the log's link after a fact that ends a commit group, else null. */
export interface LinkedFact {
  readonly fact: StoredFact | ErasedFact
  readonly link: Uint8Array | null
}

/** The log as the projections need it; FactStore is one. */
export interface FactSource {
  readonly head: { readonly seq: number; readonly link: Uint8Array }
  /** Durable facts from that number on, some at a time. */
  readFrames(from: number): AsyncIterable<readonly LinkedFact[]>
}
