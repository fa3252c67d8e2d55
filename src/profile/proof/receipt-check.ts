import { equalBytes } from '../../foundation/bytes.js'
import { type SignedReceipt, isGenuine } from './receipt.js'

/** Whose chain is followed. */
export interface ChainOwner {
  readonly logId: Uint8Array
  readonly address: Uint8Array
}

/**
 * What a receipt says about a chain that was followed from somewhere to somewhere. `beyond`: the chain ends before it;
 * `before`: it begins after it; `unreached`: what is damaged lies between; `differs`: it is another history.
 */
export type Verdict = 'agrees' | 'forged' | 'other-log' | 'before' | 'beyond' | 'unreached' | 'differs'

/** Follows a chain and looks at the place that a receipt speaks of. */
export class ReceiptCheck {
  readonly #receipt: SignedReceipt
  readonly #genuine: boolean
  #first: number | null = null
  #last = 0
  #agrees = false

  constructor(receipt: SignedReceipt) {
    this.#receipt = receipt
    this.#genuine = isGenuine(receipt)
  }

  /** The chain has this link after `seq`, where a group ends; called in order, only as far as there is no gap. */
  pass(seq: number, link: Uint8Array): void {
    this.#first ??= seq
    this.#last = seq
    if (seq === this.#receipt.seq) this.#agrees = equalBytes(link, this.#receipt.link)
  }

  /** @param whole nothing that was followed is damaged */
  verdict(owner: ChainOwner, whole: boolean): Verdict {
    const { logId, address, seq } = this.#receipt
    if (!this.#genuine) return 'forged'
    if (!equalBytes(logId, owner.logId) || !equalBytes(address, owner.address)) return 'other-log'
    if (this.#agrees) return 'agrees'
    if (seq < (this.#first ?? 0)) return 'before'
    if (seq <= this.#last) return 'differs'
    return whole ? 'beyond' : 'unreached'
  }
}
