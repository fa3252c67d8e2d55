import type { MessageId } from '../../events/vocabulary/facts.js'

/** Letters on a link whose acknowledgement may still be on its way. */
export const WINDOW = 32
/** Of letters handed out again; beside the window, so that neither waits for the other. */
const AGAIN_WINDOW = 8
/** An acknowledgement that takes longer is not counted on any more. */
const ANSWER_WITHIN_MS = 30_000
const LAST_AGAIN_MS = 600_000

interface Handing {
  readonly at: number
  readonly times: number
}

/**
 * What a link carried and nobody acknowledged. The other side may have had to refuse a letter in silence (it is not yet
 * our friend, its clock is wrong, it is older than the letter's kind), and the link may live for days: so each is handed
 * out again after 30 s, doubling to ten minutes, and takes a place in the window for 30 s only.
 */
export class HandedOut {
  /** When there may be something to hand out, unless something happens before. */
  pumpAt = Infinity
  readonly #letters = new Map<MessageId, Handing>()

  get size(): number {
    return this.#letters.size
  }

  has(id: MessageId): boolean {
    return this.#letters.has(id)
  }

  delete(id: MessageId): boolean {
    return this.#letters.delete(id)
  }

  add(id: MessageId, now: number): void {
    this.#letters.set(id, { at: now, times: (this.#letters.get(id)?.times ?? 0) + 1 })
  }

  /** How many more may go out now, the first time and again. */
  room(now: number): { readonly first: number; readonly again: number } {
    const fresh = [...this.#letters.values()].filter(({ at }) => isFresh(at, now))
    const first = fresh.filter(({ times }) => times === 1).length
    return { first: WINDOW - first, again: AGAIN_WINDOW - (fresh.length - first) }
  }

  /** When it is due again; Infinity for what was never handed out here. A clock that was set back makes all of it due. */
  dueAt(id: MessageId, now: number): number {
    const handing = this.#letters.get(id)
    if (handing === undefined) return Infinity
    return handing.at > now ? now : dueAt(handing)
  }

  /** The next moment at which a place becomes free or a letter due. */
  rest(now: number): void {
    this.pumpAt = Infinity
    for (const handing of this.#letters.values()) {
      for (const moment of [handing.at + ANSWER_WITHIN_MS, dueAt(handing)]) {
        if (moment > now) this.pumpAt = Math.min(this.pumpAt, moment)
      }
    }
  }
}

/** A clock that was set back frees the places of what it says is yet to come. */
function isFresh(at: number, now: number): boolean {
  return at <= now && now < at + ANSWER_WITHIN_MS
}

function dueAt({ at, times }: Handing): number {
  return at + Math.min(LAST_AGAIN_MS, ANSWER_WITHIN_MS * 2 ** Math.min(times - 1, 16))
}
