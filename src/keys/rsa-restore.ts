import { SottoError } from '../foundation/errors.js'
import { CandidateStream } from './candidates.js'
import { toBytes } from './numbers.js'
import { PRIME_BYTES, RSA_BITS, SEED_BYTES, type SeedRsa } from './rsa-key.js'

/** No honest key lies further: each prime takes about 1,400 draws, and 40 times as many less than once in 10^17. */
const MAX_INDEX = 20 * RSA_BITS

/**
 * Draws the primes again at their indexes and tests nothing, about 20 µs a candidate: the caller compares the key
 * with what it expects (SPEC § 3).
 * @throws bad-key when seed or indexes cannot be those of a key
 */
export function restoreRsa(seed: Uint8Array, indexP: number, indexQ: number): SeedRsa {
  if (seed.length !== SEED_BYTES || indexP >= indexQ || indexQ > MAX_INDEX) {
    throw new SottoError('bad-key', 'its seed or indexes are impossible')
  }
  const stream = new CandidateStream(seed, RSA_BITS)
  const p = toBytes(stream.at(indexP), PRIME_BYTES)
  const q = toBytes(stream.at(indexQ), PRIME_BYTES)
  stream.wipe()
  return { form: 'seed', seed: Uint8Array.from(seed), indexP, indexQ, p, q }
}
