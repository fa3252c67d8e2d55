import type { UserId } from '../../events/vocabulary/facts.js'

/** People whom the user is looking up at this moment. */
export class Strangers {
  readonly #lookups = new Map<UserId, number>()

  /** Two look-ups of one person may run at once; each ends by its own returned function. */
  permit(who: UserId): () => void {
    this.#lookups.set(who, (this.#lookups.get(who) ?? 0) + 1)
    let permitted = true
    return () => {
      if (permitted) this.#release(who)
      permitted = false
    }
  }

  has(who: UserId): boolean {
    return this.#lookups.has(who)
  }

  now(): ReadonlySet<UserId> {
    return new Set(this.#lookups.keys())
  }

  #release(who: UserId): void {
    const left = (this.#lookups.get(who) ?? 1) - 1
    if (left > 0) this.#lookups.set(who, left)
    else this.#lookups.delete(who)
  }
}
