import type { Clock } from '../clock.js'

/** More times than this are not kept; the latest are forgotten, and asked for again by whoever is woken before. */
const MAX_TIMES = 1024

/** The times at which the node wants to be woken. Does not keep the process alive. */
export class Wakes {
  readonly #clock: Clock
  readonly #wake: () => void
  /** Ascending, each once. */
  readonly #times: number[] = []
  #armedFor: number | null = null
  #cancel: () => void = () => undefined

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock
    this.#wake = wake
  }

  ask(at: number): void {
    if (!Number.isFinite(at) || this.#times.includes(at)) return
    const after = this.#times.findIndex((time) => time > at)
    this.#times.splice(after < 0 ? this.#times.length : after, 0, at)
    if (this.#times.length > MAX_TIMES) this.#times.pop()
    this.#arm()
  }

  stop(): void {
    this.#times.length = 0
    this.#cancel()
  }

  #arm(): void {
    const [first] = this.#times
    if (first === undefined || first === this.#armedFor) return
    this.#cancel()
    this.#armedFor = first
    this.#cancel = this.#clock.after(Math.max(0, first - this.#clock.now()), () => {
      this.#fire()
    })
  }

  #fire(): void {
    this.#armedFor = null
    const now = this.#clock.now()
    const due = this.#times.findIndex((time) => time > now)
    const come = this.#times.splice(0, due < 0 ? this.#times.length : due)
    this.#arm()
    if (come.length > 0) this.#wake()
  }
}
