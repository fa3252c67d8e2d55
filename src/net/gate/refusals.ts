import type { FactData } from '../../events/vocabulary/facts.js'

export type Refusal = FactData['GateRefused']

/** One and the same refusal is told once in this time. */
const AGAIN_AFTER_MS = 600_000
/** And no more than this many of any kind in that time: a flood must not fill the log. */
const MAX_TOLD = 30
/** Of connections that are not ours, apart from the rest: whoever opens one must not hide it behind noise. */
const MAX_CONNECTIONS_TOLD = 10

/** Decides which refusals become facts. Memory: at most 40 entries. */
export class Refusals {
  readonly #told = new Map<string, number>()
  readonly #connections = new Map<string, number>()

  /** True when this one is worth telling. */
  admit({ what, detail, id }: Refusal, now: number): boolean {
    const [told, most] =
      what === 'connection' ? [this.#connections, MAX_CONNECTIONS_TOLD] : [this.#told, MAX_TOLD]
    for (const [key, until] of told) if (until <= now) told.delete(key)
    const key = `${what} ${id ?? ''} ${detail}`
    if (told.has(key) || told.size >= most) return false
    told.set(key, now + AGAIN_AFTER_MS)
    return true
  }
}
