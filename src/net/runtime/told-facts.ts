/** Facts further back than this are told again if anybody tells them; nobody waits that long. */
const MAX_REMEMBERED = 4096

/** Which facts the node has heard of: it hears from its own appends and from the profile, in no fixed order. */
export class ToldFacts {
  readonly #seqs = new Set<number>()

  /** True the first time. */
  isNew(seq: number): boolean {
    if (this.#seqs.has(seq)) return false
    this.#seqs.add(seq)
    for (const oldest of this.#seqs) {
      if (this.#seqs.size <= MAX_REMEMBERED) break
      this.#seqs.delete(oldest)
    }
    return true
  }
}
