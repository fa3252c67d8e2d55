import type { StoredFact } from '../../events/vocabulary/facts.js'
import type { Effect } from '../effects.js'

type Append = Extract<Effect, { kind: 'append' }>
export type Performed = Exclude<Effect, Append>

export interface EffectQueueEvents {
  append(effect: Append): Promise<readonly StoredFact[]>
  onAppended(effect: Append, stored: readonly StoredFact[]): void
  perform(effect: Performed): void
  /** One effect, or the news of one append, threw; the next go on. */
  onFault(error: unknown): void
  /** The log failed: nothing more is carried out. */
  onFailed(error: unknown): void
}

/**
 * Carries out effects in the order in which they were asked for: nothing goes out before what was to be appended before
 * it is durable. Appends that follow each other run together, so that they can share one write.
 */
export class EffectQueue {
  readonly #events: EffectQueueEvents
  readonly #waiting: Effect[] = []
  #appending = 0
  #pumping = false
  #failed = false
  #onIdle: (() => void)[] = []

  constructor(events: EffectQueueEvents) {
    this.#events = events
  }

  /** How much is asked for and not done. */
  get backlog(): number {
    return this.#waiting.length + this.#appending
  }

  push(effects: readonly Effect[]): void {
    if (this.#failed) return
    this.#waiting.push(...effects)
    this.#pump()
  }

  /** Resolves when nothing is left to do, or nothing can be done any more. */
  idle(): Promise<void> {
    if (this.#failed || this.backlog === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) this.#start(next)
    } finally {
      this.#pumping = false
    }
    if (this.backlog === 0) this.#tellIdle()
  }

  /** The next effect, unless it has to wait for an append. */
  #next(): Effect | undefined {
    if (this.#appending > 0 && this.#waiting[0]?.kind !== 'append') return undefined
    return this.#failed ? undefined : this.#waiting.shift()
  }

  #start(effect: Effect): void {
    if (effect.kind === 'append') void this.#append(effect)
    else this.#guard(() => this.#events.perform(effect))
  }

  /** Never rejects. */
  async #append(effect: Append): Promise<void> {
    this.#appending++
    let stored: readonly StoredFact[]
    try {
      stored = await this.#events.append(effect)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#appending--
    this.#guard(() => this.#events.onAppended(effect, stored))
    this.#pump()
  }

  /** Whoever comes after one that throws is not to wait for it. */
  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#events.onFault(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#waiting.length = 0
    this.#tellIdle()
    this.#events.onFailed(error)
  }

  #tellIdle(): void {
    for (const tell of this.#onIdle.splice(0)) tell()
  }
}
