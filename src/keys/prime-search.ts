import { checkPrime } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { SottoError } from '../foundation/errors.js'
import { CandidateStream, type Candidate } from './candidates.js'
import { PrimeLedger, type PrimePair } from './prime-ledger.js'
import { hasSmallFactor, survivingPart } from './small-primes.js'

/** The size of libuv's thread pool when nobody sets it; more tests at once would only queue. */
const POOL_THREADS = 4

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

function nextSurvivor(stream: CandidateStream): Candidate {
  for (;;) {
    const candidate = stream.next()
    if (!hasSmallFactor(candidate.value)) return candidate
  }
}

/** In libuv's thread pool. OpenSSL runs 64 rounds of Miller-Rabin or more (128 above 2048 bits) on what looks prime. */
function test(candidate: Candidate): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    checkPrime(candidate.value, (error: unknown, prime) => {
      if (error instanceof Error) reject(error)
      else resolve({ ...candidate, prime })
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
