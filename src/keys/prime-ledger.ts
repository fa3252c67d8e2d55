import type { Candidate } from './candidates.js'
import { gcd } from './numbers.js'

export const PUBLIC_EXPONENT = 65537n
/** C2SP det-keygen, step 20: a common divisor as large as this rejects both primes. */
const TOO_LARGE_DIVISOR = 1n << 32n

export interface PrimePair {
  readonly p: Candidate
  readonly q: Candidate
}

/** Primes found, kept in the order of the stream. */
export class PrimeLedger {
  #primes: Candidate[] = []

  /** Two primes are enough, unless the pair is rejected or a smaller index comes in. */
  get wantsMore(): boolean {
    return this.#primes.length < 2
  }

  add(prime: Candidate): void {
    this.#primes = [...this.#primes, prime].sort((a, b) => a.index - b.index)
  }

  /** The pair, once nothing that is still under test can come before its second prime. Rejected pairs are dropped. */
  settle(lowestUnderTest: number): PrimePair | null {
    for (;;) {
      const [p, q] = this.#primes
      if (p === undefined || q === undefined || lowestUnderTest < q.index) return null
      if (isAccepted(p.value, q.value)) return { p, q }
      this.#primes = this.#primes.slice(2)
    }
  }
}

/** Steps 19 to 23: e is prime, so it has an inverse exactly when it divides neither p − 1 nor q − 1. */
export function isAccepted(p: bigint, q: bigint): boolean {
  if (gcd(p - 1n, q - 1n) >= TOO_LARGE_DIVISOR) return false
  return (p - 1n) % PUBLIC_EXPONENT !== 0n && (q - 1n) % PUBLIC_EXPONENT !== 0n
}
