import { concat, u32, u64, utf8 } from '../../foundation/bytes.js'
import { NONCE_BYTES, seal, unseal } from '../../foundation/crypto.js'
import type { Boundary } from './anchor.js'
import type { SegmentKeys } from './segment-header.js'

const LABEL = utf8('sotto/frame/1')

/** `u32 length ‖ SEAL(…)` of SPEC § 4.4: a frame that can only stand at `start` of this segment. */
export function sealFrame(keys: SegmentKeys, start: Boundary, plaintext: Uint8Array): Buffer {
  const sealed = seal(keys.key, nonceOf(start), aadOf(keys, start), plaintext)
  return concat(u32(sealed.length), sealed)
}

/** @returns the plaintext, or null unless this is the frame that stands at `start` */
export function openFrame(keys: SegmentKeys, start: Boundary, sealed: Uint8Array): Buffer | null {
  return unseal(keys.key, nonceOf(start), aadOf(keys, start), sealed)
}

/** Unique: the key is the segment's own, and a frame number is written once. */
function nonceOf({ frames }: Boundary): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32BE(frames, NONCE_BYTES - 4)
  return nonce
}

function aadOf({ logId, segmentId }: SegmentKeys, { frames, nextSeq, link }: Boundary): Buffer {
  return concat(LABEL, logId, segmentId, u32(frames), u64(nextSeq), link)
}
