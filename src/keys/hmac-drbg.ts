import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat } from '../foundation/bytes.js'
import { BLOCK_WORDS, compress, initialState, STATE_WORDS } from './sha256-block.js'

const OUTPUT_BYTES = 32
const OUTPUT_BITS = 256
const BLOCK_BITS = 512
const INNER_PAD = 0x36363636
const OUTER_PAD = 0x5c5c5c5c
const END_MARK = 0x80000000 | 0

/**
 * HMAC_DRBG with SHA-256 (SP 800-90A Rev. 1 § 10.1.2), without reseeding or additional input: what C2SP det-keygen
 * draws its candidates from. Instantiated with noble's HMAC, stepped on HMAC's two half-finished states.
 */
export class HmacDrbg {
  /** SHA-256 after the block K ⊕ ipad, and after K ⊕ opad (RFC 2104). */
  readonly #inner = initialState()
  readonly #outer = initialState()
  /** V, padded as the last block of an inner hash. */
  readonly #value = secondBlock()
  /** An inner hash, padded as the last block of an outer hash. */
  readonly #hash = secondBlock()

  constructor(seed: Uint8Array, personalization: Uint8Array) {
    let key: Uint8Array = new Uint8Array(OUTPUT_BYTES)
    let value: Uint8Array = new Uint8Array(OUTPUT_BYTES).fill(1)
    for (const mark of [0, 1]) {
      key = hmac(sha256, key, concat(value, Uint8Array.of(mark), seed, personalization))
      value = hmac(sha256, key, value)
    }
    this.#setKey(words(key))
    this.#value.set(words(value))
  }

  /** Draws `bytes` (a multiple of 32 is drawn, the rest dropped), then moves on (§ 10.1.2.5). */
  generate(bytes: number): Buffer {
    const out = Buffer.allocUnsafe(Math.ceil(bytes / OUTPUT_BYTES) * OUTPUT_BYTES)
    for (let at = 0; at < out.length;) {
      this.#hmac(this.#value)
      for (let i = 0; i < STATE_WORDS; i++) at = out.writeInt32BE(this.#value[i] as number, at)
    }
    this.#update()
    return out.subarray(0, bytes)
  }

  /** As `generate`, without looking at what is drawn. */
  skip(bytes: number): void {
    for (let left = bytes; left > 0; left -= OUTPUT_BYTES) this.#hmac(this.#value)
    this.#update()
  }

  wipe(): void {
    for (const secret of [this.#inner, this.#outer, this.#value, this.#hash]) secret.fill(0)
  }

  /** K = HMAC(K, V ‖ 00), V = HMAC(K, V) */
  #update(): void {
    const key = this.#value.slice()
    // V ‖ 00 differs from the padded V in two places: the end mark a byte later, the length 8 bits more.
    key[STATE_WORDS] = END_MARK >>> 8
    key[BLOCK_WORDS - 1] = BLOCK_BITS + OUTPUT_BITS + 8
    this.#hmac(key)
    this.#setKey(key.subarray(0, STATE_WORDS))
    this.#hmac(this.#value)
  }

  /** The message in the first words of a padded block becomes its HMAC under K; the padding stays. */
  #hmac(block: Int32Array): void {
    compress(this.#inner, block, this.#hash)
    compress(this.#outer, this.#hash, block)
  }

  #setKey(key: Int32Array): void {
    const block = new Int32Array(BLOCK_WORDS)
    block.set(key)
    compress(initialState(), xor(block, INNER_PAD), this.#inner)
    compress(initialState(), xor(block, OUTER_PAD), this.#outer)
    block.fill(0)
  }
}

/** Room for 32 bytes, padded as what follows HMAC's block of key (FIPS 180-4 § 5.1.1). */
function secondBlock(): Int32Array {
  const block = new Int32Array(BLOCK_WORDS)
  block[STATE_WORDS] = END_MARK
  block[BLOCK_WORDS - 1] = BLOCK_BITS + OUTPUT_BITS
  return block
}

function xor(block: Int32Array, pad: number): Int32Array {
  return block.map((word) => word ^ pad)
}

function words(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i))
}
