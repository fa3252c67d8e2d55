import { concat, u64, utf8 } from '../../foundation/bytes.js'
import { sha256 } from '../../foundation/crypto.js'

/** Most work a responder may ask for, in leading zero bits; 16 bits are 65,536 hashes on average, a quarter second. */
export const MAX_WORK_BITS = 24
/** Candidates tried in one step: about 25 ms, so that a greedy responder cannot hold the process. */
const CHUNK = 8192

/** SHA-256('sotto/work/1' ‖ h ‖ u64) has `bits` leading zero bits (SPEC § 6.3). */
export function isWork(h: Uint8Array, work: number, bits: number): boolean {
  const digest = sha256(utf8('sotto/work/1'), h, u64(work))
  return bits === 0 || digest.readUInt32BE() >>> (32 - bits) === 0
}

/** Searches from `start`: the work, or where to go on. */
export function searchWork(h: Uint8Array, bits: number, start: number): { found: number } | { next: number } {
  const block = concat(utf8('sotto/work/1'), h, u64(0))
  for (let work = start; work < start + CHUNK; work++) {
    block.writeBigUInt64BE(BigInt(work), block.length - 8)
    if (bits === 0 || sha256(block).readUInt32BE() >>> (32 - bits) === 0) return { found: work }
  }
  return { next: start + CHUNK }
}
