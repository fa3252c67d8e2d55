import { wipe } from '../../foundation/bytes.js'
import { kdf, x25519 } from '../../foundation/crypto.js'
import { pairContext, type End } from '../links/pair.js'
import type { PinnedPeer } from '../links/peer.js'

const CAPACITY = 1024

export interface PairSecrets {
  readonly staticDh: Uint8Array
  readonly pairKey: Uint8Array
}

/** The agreements with pinned contacts (SPEC § 7.1), derived once per certificate; bounded, wiped when they go. */
export class PairKeys {
  readonly #self: End
  readonly #dhSecret: Uint8Array
  readonly #known = new Map<string, PairSecrets>()

  constructor(self: End, dhSecret: Uint8Array) {
    this.#self = self
    this.#dhSecret = dhSecret
  }

  of(peer: PinnedPeer): PairSecrets {
    const known = this.#known.get(peer.digest)
    if (known !== undefined) return known
    const staticDh = x25519(this.#dhSecret, peer.dh)
    const derived = { staticDh, pairKey: kdf(staticDh, 'sotto/pair/1', pairContext(this.#self, peer)) }
    this.#makeRoom()
    this.#known.set(peer.digest, derived)
    return derived
  }

  clear(): void {
    for (const { staticDh, pairKey } of this.#known.values()) wipe(staticDh, pairKey)
    this.#known.clear()
  }

  #makeRoom(): void {
    for (const [digest, { staticDh, pairKey }] of this.#known) {
      if (this.#known.size < CAPACITY) break
      wipe(staticDh, pairKey)
      this.#known.delete(digest)
    }
  }
}
