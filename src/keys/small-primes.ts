/**
 * Trial division stops here. A larger prime p catches 1/p of what is left; dividing by it costs about 0.2 µs, the
 * test of a 4096-bit number 20 ms: even at p ≈ 100,000. The result never depends on this bound.
 */
const LIMIT = 1 << 16
const EXACT = 2 ** 53

interface Batch {
  readonly product: bigint
  readonly primes: readonly number[]
}

let batches: readonly Batch[] | undefined

/** Whether an odd prime below the limit divides `value`, which must be larger than the limit. */
export function hasSmallFactor(value: bigint): boolean {
  batches ??= multiplyInBatches(oddPrimesBelow(LIMIT))
  return batches.some(({ product, primes }) => {
    const rest = Number(value % product)
    return primes.some((prime) => rest % prime === 0)
  })
}

/** What part of random odd numbers has no such factor: Mertens' third theorem, 2·e^−γ / ln LIMIT. */
export function survivingPart(): number {
  return (2 * Math.exp(-0.5772156649)) / Math.log(LIMIT)
}

/** The sieve of Eratosthenes. */
function oddPrimesBelow(limit: number): number[] {
  const composite = Buffer.alloc(limit)
  const primes: number[] = []
  for (let n = 3; n < limit; n += 2) {
    if (composite[n] === 1) continue
    primes.push(n)
    for (let multiple = n * n; multiple < limit; multiple += 2 * n) composite[multiple] = 1
  }
  return primes
}

/** One long division serves several primes: the remainder by their product stays an exact double. */
function multiplyInBatches(primes: readonly number[]): Batch[] {
  const out: Batch[] = []
  let product = 1
  let batch: number[] = []
  for (const prime of primes) {
    if (product * prime >= EXACT) {
      out.push({ product: BigInt(product), primes: batch })
      product = 1
      batch = []
    }
    product *= prime
    batch.push(prime)
  }
  if (batch.length > 0) out.push({ product: BigInt(product), primes: batch })
  return out
}
