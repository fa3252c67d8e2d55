import type { After } from '../events/log/timer.js'
import { systemAfter } from '../events/log/timer.js'
import type { Fact } from '../events/vocabulary/facts.js'
import type { View } from '../projections/view.js'
import { fact } from './decisions/context.js'
import { forgetExpired, forgetRecoverySeed } from './decisions/forget-messages.js'

/** Records erased at once, by one rewrite. */
const MAX_SEQS = 65_536
/** Records that one fact tells of: to fold them takes a moment in which nothing else runs. */
const SEQS_A_FACT = 1024
const LOOK_EVERY_MS = 15_000
/** What has disappeared is off the disk at the latest by then: a rewrite for each message would be dear. */
const LONGEST_WAIT_MS = 600_000
/** With a short timer sooner: it is at most this part longer on the disk than it was shown. */
const PART_OF_TIMER = 8

/** What of a profile it takes to forget. */
export interface Forgetful {
  readonly view: View
  readonly clock: { now(): number }
  readonly store: { forget(seqs: readonly number[]): Promise<void> }
  readonly projections: { purge(): Promise<void> }
  append(facts: readonly Fact[]): Promise<unknown>
}

/**
 * Erases what facts have named forgotten: from the log, then from what the projections wrote, and says so (SPEC § 4.7).
 * Each step may be the last before a crash: what was not said to be erased is erased once more.
 */
export class Forgetting {
  readonly #profile: Forgetful
  #works: Promise<unknown> = Promise.resolve()
  #waitingSince: number | null = null

  constructor(profile: Forgetful) {
    this.#profile = profile
  }

  /**
   * Names forgotten what has disappeared by now, and a recovery seed without use. Nothing of it was shown before either
   * (`disappearsAt`), so that it may take its time: each fact has a turn of its own, between which others are served.
   * @param most so many facts, of up to 256 messages each
   */
  async expire(most = Infinity): Promise<void> {
    await this.#inTurn(() => this.#profile.append(forgetRecoverySeed(this.#profile.view)))
    for (let made = 0; made < most; made++) if (!(await this.#inTurn(() => this.#expireSome()))) return
  }

  /** @returns whether there was anything */
  async #expireSome(): Promise<boolean> {
    const { view, clock } = this.#profile
    if ((view.nextExpiry() ?? Infinity) > clock.now()) return false
    const facts = forgetExpired({ view, now: clock.now() })
    if (facts.length > 0) await this.#profile.append(facts)
    return facts.length > 0
  }

  /** Resolves when nothing that is named forgotten is left on the disk. @throws log-failed */
  erase(): Promise<void> {
    return this.#inTurn(async () => {
      const { view, store, projections } = this.#profile
      for (;;) {
        const seqs = view.erasures(MAX_SEQS)
        if (seqs.length === 0) return
        await store.forget(seqs)
        await projections.purge()
        for (let from = 0; from < seqs.length; from += SEQS_A_FACT)
          await this.#profile.append([fact('ContentErased', { seqs: seqs.slice(from, from + SEQS_A_FACT) })])
      }
    })
  }

  /** What a daemon does every little while: several messages that disappear one after another are erased together. */
  async tend(): Promise<void> {
    await this.expire()
    const { view, clock } = this.#profile
    if (view.erasures(1).length === 0) this.#waitingSince = null
    else if (clock.now() - (this.#waitingSince ??= clock.now()) >= this.#patience()) await this.erase()
  }

  #patience(): number {
    const shortest = Math.min(...this.#profile.view.timers().map(({ afterMs }) => afterMs))
    return Math.min(LONGEST_WAIT_MS, shortest / PART_OF_TIMER)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#works.then(work)
    this.#works = done.catch(() => undefined)
    return done
  }
}

/** Finishes what was begun before, then looks every 15 s for what disappears. @returns how to stop */
export function keepForgetting(forgetting: Forgetting, after: After = systemAfter): () => void {
  let cancel: () => void = () => undefined
  let stopped = false
  const again = (work: Promise<void>) =>
    // A log that fails ends the daemon by itself; whatever else fails is tried again.
    void work
      .catch(() => undefined)
      .then(() => {
        if (!stopped) cancel = after(LOOK_EVERY_MS, () => again(forgetting.tend()))
      })
  again(forgetting.expire().then(() => forgetting.erase()))
  return () => {
    stopped = true
    cancel()
  }
}
