import { concat, u16, utf8 } from '../foundation/bytes.js'
import { HmacDrbg } from './hmac-drbg.js'
import { toInteger } from './numbers.js'

const TOP_BITS = 0b1100_0000
const LOW_BITS = 0b0000_0111

/** One number of the stream and how many were drawn before it. */
export interface Candidate {
  readonly index: number
  readonly value: bigint
}

/**
 * The stream of prime candidates of C2SP det-keygen (steps 1 to 13). p and q are the first two primes in it, or, when
 * a pair is rejected (steps 20 and 23), the next two: the steps between two draws are always the same, so an index
 * into the stream says which draw a prime was.
 */
export class CandidateStream {
  readonly #drbg: HmacDrbg
  readonly #bytes: number
  #drawn = 0

  /** @param bits of the modulus: a multiple of 16 */
  constructor(seed: Uint8Array, bits: number) {
    this.#drbg = new HmacDrbg(seed, concat(utf8('det RSA key gen'), u16(bits)))
    this.#bytes = bits / 16
  }

  /** How many were drawn or passed over: the index of the next. */
  get drawn(): number {
    return this.#drawn
  }

  next(): Candidate {
    const bytes = this.#drbg.generate(this.#bytes)
    const last = this.#bytes - 1
    bytes.writeUInt8(bytes.readUInt8(0) | TOP_BITS, 0)
    bytes.writeUInt8(bytes.readUInt8(last) | LOW_BITS, last)
    const value = toInteger(bytes)
    bytes.fill(0)
    return { index: this.#drawn++, value }
  }

  /** The candidate with that index, which must not have been drawn yet. */
  at(index: number): bigint {
    for (; this.#drawn < index; this.#drawn++) this.#drbg.skip(this.#bytes)
    return this.next().value
  }

  wipe(): void {
    this.#drbg.wipe()
  }
}
