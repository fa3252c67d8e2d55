import { toHex } from '../../foundation/bytes.js'

/** More proofs than this in one window from one contact (or from all strangers) are refused. */
const MAX_PER_BUCKET = 1024

/**
 * Nonces of accepted proofs until they expire (SPEC § 6.2). A full bucket refuses instead of forgetting, and buckets
 * are separate, so that nobody can make room for a replay or shut others out. Memory: buckets × 1024 nonces.
 */
export class ReplayCache {
  readonly #buckets = new Map<string, Map<string, number>>()

  /** True when the nonce is new in its bucket; it is then remembered until `expires`. */
  admit(bucket: string, nonce: Uint8Array, expires: number, now: number): boolean {
    this.#forgetExpired(now)
    const seen = this.#buckets.get(bucket) ?? new Map<string, number>()
    const key = toHex(nonce)
    if (seen.has(key) || seen.size >= MAX_PER_BUCKET) return false
    this.#buckets.set(bucket, seen.set(key, expires))
    return true
  }

  get size(): number {
    let sum = 0
    for (const seen of this.#buckets.values()) sum += seen.size
    return sum
  }

  #forgetExpired(now: number): void {
    for (const [bucket, seen] of this.#buckets) {
      for (const [key, expires] of seen) if (expires < now) seen.delete(key)
      if (seen.size === 0) this.#buckets.delete(bucket)
    }
  }
}
