import { concat, u32, u8 } from '../../foundation/bytes.js'

/** One end of a pair: its address (32 bytes) and the epoch of its key. */
export interface End {
  readonly address: Uint8Array
  readonly epoch: number
}

const UPWARDS = 1
const DOWNWARDS = 2

/** `u8 1` from the lower ID to the higher, `u8 2` otherwise (SPEC § 6.5); IDs compare as unsigned bytes. */
export function directionOf(from: Uint8Array, to: Uint8Array): Uint8Array {
  return u8(Buffer.compare(from, to) < 0 ? UPWARDS : DOWNWARDS)
}

/** lower ID ‖ higher ID ‖ u32 epoch of lower ‖ u32 epoch of higher (SPEC § 7.1): the same seen from both ends. */
export function pairContext(one: End, other: End): Buffer {
  const [lower, higher] = Buffer.compare(one.address, other.address) < 0 ? [one, other] : [other, one]
  return concat(lower.address, higher.address, u32(lower.epoch), u32(higher.epoch))
}
