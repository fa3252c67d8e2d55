import { blake3 } from '@noble/hashes/blake3.js'
import { randomBytes, randomFillSync } from 'node:crypto'

/** Where randomness comes from; injected, so that protocols replay exactly from a seed. */
export interface Rng {
  bytes(length: number): Buffer
}

export const systemRng: Rng = { bytes: (length) => randomBytes(length) }

/** Fills many small requests from one pool; for salts, where a system call each would dominate. */
export function pooledRng(poolBytes = 8192): Rng {
  const pool = Buffer.alloc(poolBytes)
  let used = poolBytes
  return {
    bytes(length) {
      if (length > poolBytes) return randomBytes(length)
      if (used + length > poolBytes) {
        randomFillSync(pool)
        used = 0
      }
      used += length
      return Buffer.from(pool.subarray(used - length, used))
    },
  }
}

/** For the simulator and tests only: the same seed gives the same bytes (BLAKE3 as an extendable output). */
export function seededRng(seed: string): Rng {
  const stream = blake3.create({}).update(Buffer.from(`sotto/seeded-rng/1${seed}`))
  return { bytes: (length) => Buffer.from(stream.xof(length)) }
}
