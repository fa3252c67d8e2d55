import { SottoError } from '../foundation/errors.js'
import { toBytes } from './numbers.js'
import { PUBLIC_EXPONENT, type PrimePair } from './prime-ledger.js'
import { findPrimes, type SearchOptions } from './prime-search.js'
import { PRIME_BYTES, RSA_BITS, SEED_BYTES, type SeedRsa } from './rsa-key.js'

const MIN_BITS = 2048
const MAX_BITS = 65520
const BITS_STEP = 16
const MIN_SEED_BYTES = 16

/**
 * The RSA-8192 key of a 32-byte seed by C2SP det-keygen (SPEC § 2.2). Uses all cores, up to libuv's thread pool; about
 * 10 s on two. The seed is copied.
 * @throws cancelled when `signal` aborts
 */
export async function generateRsa(seed: Uint8Array, options: SearchOptions = {}): Promise<SeedRsa> {
  if (seed.length !== SEED_BYTES) throw new SottoError('malformed', `a seed of ${seed.length} bytes`)
  const { p, q } = await findPrimes(seed, RSA_BITS, options)
  return {
    form: 'seed',
    seed: Uint8Array.from(seed),
    indexP: p.index,
    indexQ: q.index,
    p: toBytes(p.value, PRIME_BYTES),
    q: toBytes(q.value, PRIME_BYTES),
  }
}

/**
 * Any key of C2SP det-keygen, for conformance.
 * @param bits 2048 to 65520, a multiple of 16
 * @throws usage for a size or a seed that the specification does not allow
 */
export async function deriveRsa(
  seed: Uint8Array,
  bits: number,
  options: SearchOptions = {},
): Promise<{ readonly n: bigint; readonly e: bigint; readonly pair: PrimePair }> {
  if (!Number.isInteger(bits / BITS_STEP) || bits < MIN_BITS || bits > MAX_BITS) {
    throw new SottoError(
      'usage',
      `${bits} bits; a multiple of ${BITS_STEP} from ${MIN_BITS} to ${MAX_BITS} is needed`,
    )
  }
  if (seed.length < MIN_SEED_BYTES)
    throw new SottoError('usage', `a seed has at least ${MIN_SEED_BYTES} bytes`)
  const pair = await findPrimes(seed, bits, options)
  return { n: pair.p.value * pair.q.value, e: PUBLIC_EXPONENT, pair }
}
