/** How much one sender may do: `burst` at once, `rate` a second in the long run. */
export interface Allowance {
  readonly rate: number
  readonly burst: number
}

const ROWS = 2
const WORD_BYTES = 4

/**
 * Token buckets in a table of fixed size: whoever floods it with senders makes buckets shared, never the table larger.
 * Each sender has a bucket in two independent rows and passes when either has enough, so that a flood that empties one
 * by collision leaves the other.
 */
export class TokenTable {
  readonly #slots: number
  readonly #allowance: Allowance
  readonly #level: Float64Array
  readonly #since: Float64Array

  constructor(slots: number, allowance: Allowance) {
    this.#slots = slots
    this.#allowance = allowance
    this.#level = new Float64Array(ROWS * slots).fill(allowance.burst)
    this.#since = new Float64Array(ROWS * slots)
  }

  /** `tag`: 8 bytes that look random to the sender. Nothing is spent when false. */
  has(tag: Buffer, cost: number, now: number): boolean {
    return this.#places(tag).some((place) => this.#refilled(place, now) >= cost)
  }

  spend(tag: Buffer, cost: number, now: number): void {
    for (const place of this.#places(tag)) {
      this.#level[place] = Math.max(0, this.#refilled(place, now) - cost)
      this.#since[place] = now
    }
  }

  #places(tag: Buffer): readonly number[] {
    return Array.from(
      { length: ROWS },
      (_, row) => row * this.#slots + (tag.readUInt32BE(row * WORD_BYTES) % this.#slots),
    )
  }

  #refilled(place: number, now: number): number {
    const elapsed = Math.max(0, now - (this.#since[place] ?? 0))
    return Math.min(
      this.#allowance.burst,
      (this.#level[place] ?? 0) + (elapsed / 1000) * this.#allowance.rate,
    )
  }
}
