import { kdf } from '../../foundation/crypto.js'
import { u32 } from '../../foundation/bytes.js'

/** Choices that are the same for the same seed, and unlike for any two seeds. */
export class Draw {
  readonly #seed: Uint8Array
  #count = 0

  constructor(seed: Uint8Array) {
    this.#seed = seed
  }

  /** A whole number from 0 to `below` − 1. */
  number(below: number): number {
    return kdf(this.#seed, 'sotto/site/1', u32(this.#count++)).readUIntBE(0, 6) % below
  }

  between(low: number, high: number): number {
    return low + this.number(high - low + 1)
  }

  one<T>(from: readonly T[]): T {
    const chosen = from[this.number(from.length)]
    if (chosen === undefined) throw new RangeError('nothing to choose from')
    return chosen
  }

  /** `count` different ones, in random order; all of them when there are fewer. */
  some<T>(from: readonly T[], count: number): T[] {
    const left = [...from]
    const chosen: T[] = []
    while (chosen.length < count && left.length > 0) chosen.push(...left.splice(this.number(left.length), 1))
    return chosen
  }

  /** Text in which every `{a|b|c}` has become one of its choices; choices may stand inside choices. */
  text(template: string): string {
    let text = template
    while (text.includes('{')) {
      text = text.replace(/\{([^{}]*)\}/g, (_, choices: string) => this.one(choices.split('|')))
    }
    return text
  }
}
