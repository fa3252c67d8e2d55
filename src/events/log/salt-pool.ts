import type { Rng } from '../../foundation/rng.js'
import { SALT_BYTES } from './format.js'

const POOL_BYTES = 256 * SALT_BYTES

/**
 * Salts drawn ahead: asking the system for 16 bytes costs more than sealing a record. What it gives is a view, used
 * once and valid until the next `fill`.
 */
export class SaltPool implements Rng {
  readonly #rng: Rng
  #pool: Buffer = Buffer.alloc(0)
  #used = 0

  constructor(rng: Rng) {
    this.#rng = rng
  }

  /** To be called when there is time; without it every request is drawn as it comes. */
  fill(): void {
    if (this.#left >= POOL_BYTES / 2) return
    this.#pool = this.#rng.bytes(POOL_BYTES)
    this.#used = 0
  }

  bytes(length: number): Buffer {
    if (length > this.#left) return this.#rng.bytes(length)
    this.#used += length
    return this.#pool.subarray(this.#used - length, this.#used)
  }

  get #left(): number {
    return this.#pool.length - this.#used
  }
}
