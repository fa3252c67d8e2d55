import type { Rng } from '../../foundation/rng.js'
import type { Clock } from '../clock.js'
import type { Effect, Input, Step } from '../effects.js'

export interface LoopOptions<State> {
  readonly state: State
  readonly step: Step<State, Input, Effect>
  readonly clock: Clock
  readonly rng: Rng
  onEffects(effects: readonly Effect[]): void
  /** The step threw: a mistake of ours that this input brought to light. */
  onFault(error: unknown, input: Input): void
}

/** Owns the node's state and feeds it one input at a time, in the order of arrival, never from within a step. */
export class Loop<State> {
  readonly #options: LoopOptions<State>
  readonly #inputs: Input[] = []
  #state: State
  #phase: 'new' | 'resting' | 'stepping' | 'ended' = 'new'

  constructor(options: LoopOptions<State>) {
    this.#options = options
    this.#state = options.state
  }

  /** Begins with `first`; what was fed before comes after it. */
  start(first: readonly Input[]): void {
    this.#inputs.unshift(...first)
    this.#phase = 'resting'
    this.#run()
  }

  feed(input: Input): void {
    if (this.#phase === 'ended') return
    this.#inputs.push(input)
    this.#run()
  }

  /** Whatever comes from now on is ignored. */
  end(): void {
    this.#phase = 'ended'
    this.#inputs.length = 0
  }

  #run(): void {
    if (this.#phase !== 'resting') return
    this.#phase = 'stepping'
    for (let input = this.#inputs.shift(); input !== undefined; input = this.#inputs.shift()) {
      this.#step(input)
    }
    this.#rest()
  }

  #rest(): void {
    if (this.#phase === 'stepping') this.#phase = 'resting'
  }

  #step(input: Input): void {
    const { step, clock, rng } = this.#options
    try {
      const [state, effects] = step(this.#state, input, clock.now(), rng)
      this.#state = state
      this.#options.onEffects(effects)
    } catch (error) {
      this.#options.onFault(error, input)
    }
  }
}
