import { checkPrime } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { SottoError } from '../foundation/errors.js'
import { CandidateStream, type Candidate } from './candidates.js'
import { gcd } from './numbers.js'
import { hasSmallFactor, survivingPart } from './small-primes.js'

export const PUBLIC_EXPONENT = 65537n
/** Step 20: a larger common divisor rejects both primes. */
const MAX_COMMON_DIVISOR = 1n << 32n
/** The size of libuv's thread pool when nobody sets it; more tests at once would only queue. */
const POOL_THREADS = 4

export interface PrimePair {
  readonly p: Candidate
  readonly q: Candidate
}

export interface SearchOptions {
  /** `tested` candidates so far of about `expected`. The search is a lottery: it may end early or take much longer. */
  readonly onProgress?:
    ((progress: { readonly tested: number; readonly expected: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

interface Verdict extends Candidate {
  readonly prime: boolean
}

/**
 * The p and q that C2SP det-keygen derives from `seed`. As many candidates are under test as there are cores, so that
 * the long confirmation of a prime overlaps with the search for the other; the answer is the first pair in the order
 * of the stream, in whatever order tests end.
 * @throws cancelled when `signal` aborts; a test under way ends unheard, within seconds
 */
export async function findPrimes(
  seed: Uint8Array,
  bits: number,
  options: SearchOptions = {},
): Promise<PrimePair> {
  const stream = new CandidateStream(seed, bits)
  const abort = aborted(options.signal)
  try {
    return await Promise.race([search(stream, bits, options), abort.promise])
  } finally {
    abort.release()
    stream.wipe()
  }
}

async function search(stream: CandidateStream, bits: number, options: SearchOptions): Promise<PrimePair> {
  const underTest = new Map<number, Promise<Verdict>>()
  const ledger = new PrimeLedger()
  const expected = expectedTests(bits)
  for (let tested = 0; ; tested++) {
    while (ledger.wantsMore && underTest.size < testsAtOnce()) {
      const candidate = nextSurvivor(stream)
      underTest.set(candidate.index, test(candidate))
    }
    const verdict = await Promise.race(underTest.values())
    options.signal?.throwIfAborted()
    underTest.delete(verdict.index)
    options.onProgress?.({ tested: tested + 1, expected })
    if (verdict.prime) ledger.add(verdict)
    const pair = ledger.settle(Math.min(...underTest.keys()))
    if (pair !== null) return pair
  }
}

/** Primes found, kept in the order of the stream. */
class PrimeLedger {
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
  if (gcd(p - 1n, q - 1n) >= MAX_COMMON_DIVISOR) return false
  return (p - 1n) % PUBLIC_EXPONENT !== 0n && (q - 1n) % PUBLIC_EXPONENT !== 0n
}

function nextSurvivor(stream: CandidateStream): Candidate {
  for (;;) {
    const candidate = stream.next()
    if (!hasSmallFactor(candidate.value)) return candidate
  }
}

/** In libuv's thread pool. OpenSSL runs at least 64 rounds of Miller-Rabin on what looks prime, whatever is asked. */
function test(candidate: Candidate): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    checkPrime(candidate.value, (error: Error | null, prime) => {
      if (error === null) resolve({ ...candidate, prime })
      else reject(error)
    })
  })
}

/** By the prime number theorem, among numbers ≡ 7 mod 8 without a small factor, for two primes. */
function expectedTests(bits: number): number {
  const oddsOfAnOddNumber = 2 / ((bits / 2) * Math.LN2)
  return Math.round((2 * survivingPart()) / oddsOfAnOddNumber)
}

function testsAtOnce(): number {
  const pool = Number(process.env['UV_THREADPOOL_SIZE']) || POOL_THREADS
  return Math.min(availableParallelism(), pool)
}

function aborted(signal: AbortSignal | undefined): { promise: Promise<never>; release: () => void } {
  let release = () => {}
  const promise = new Promise<never>((_, reject) => {
    if (signal === undefined) return
    const onAbort = () => reject(new SottoError('cancelled'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    release = () => signal.removeEventListener('abort', onAbort)
  })
  return { promise, release }
}
