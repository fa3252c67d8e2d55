import type { FactData } from '../../events/vocabulary/facts.js'

export type Refusal = FactData['GateRefused']

/** One and the same refusal is told once in this time. */
const AGAIN_AFTER_MS = 600_000
/** And no more than this many of any kind in that time: a flood must not fill the log. */
const MAX_TOLD = 30

/** Decides which refusals become facts. Memory: at most 30 entries. */
export class Refusals {
  readonly #told = new Map<string, number>()

  /** True when this one is worth telling. */
  admit({ what, detail, id }: Refusal, now: number): boolean {
    for (const [key, until] of this.#told) if (until <= now) this.#told.delete(key)
    const key = `${what} ${id ?? ''} ${detail}`
    if (this.#told.has(key) || this.#told.size >= MAX_TOLD) return false
    this.#told.set(key, now + AGAIN_AFTER_MS)
    return true
  }
}
