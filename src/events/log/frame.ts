import { type CipherGCM, createCipheriv, createDecipheriv } from 'node:crypto'
import { concat, u32, u64, utf8 } from '../../foundation/bytes.js'
import { NONCE_BYTES, TAG_BYTES } from '../../foundation/crypto.js'
import type { Boundary } from './anchor.js'
import { FRAME_LENGTH_BYTES } from './format.js'
import type { Scratch } from './scratch.js'
import type { SegmentKeys } from './segment-header.js'

const LABEL = utf8('sotto/frame/1')
/** Each part comes in a buffer of its own, and large fresh ones cost a page fault each 4 KiB. */
const SEALED_AT_ONCE_BYTES = 32 << 10

/** What seals the frame that will stand at `start`: it can be made before that frame's content is known. For one frame. */
export function frameCipher(keys: SegmentKeys, start: Boundary): CipherGCM {
  return createCipheriv('aes-256-gcm', keys.key, nonceOf(start)).setAAD(aadOf(keys, start))
}

/**
 * `u32 length ‖ SEAL(…)` of SPEC § 4.4, in `scratch`: a frame that can only stand at `start` of this segment. As
 * `seal` of the foundation, without its copies.
 */
export function sealFrame(
  keys: SegmentKeys,
  start: Boundary,
  plaintext: Uint8Array,
  scratch: Scratch,
): Buffer {
  return sealWith(frameCipher(keys, start), plaintext, scratch)
}

/** The same, by the cipher of that place. */
export function sealWith(cipher: CipherGCM, plaintext: Uint8Array, scratch: Scratch): Buffer {
  const end = FRAME_LENGTH_BYTES + plaintext.length
  const frame = scratch.take(end + TAG_BYTES)
  frame.writeUInt32BE(plaintext.length + TAG_BYTES)
  for (let from = 0; from < plaintext.length; from += SEALED_AT_ONCE_BYTES) {
    const sealed = cipher.update(plaintext.subarray(from, from + SEALED_AT_ONCE_BYTES))
    frame.set(sealed, FRAME_LENGTH_BYTES + from)
  }
  cipher.final()
  frame.set(cipher.getAuthTag(), end)
  return frame
}

/**
 * As `unseal` of the foundation, without its copy; `sealed` is longer than a tag.
 * @returns the plaintext, or null unless this is the frame that stands at `start`
 */
export function openFrame(keys: SegmentKeys, start: Boundary, sealed: Uint8Array): Buffer | null {
  const tag = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', keys.key, nonceOf(start), { authTagLength: TAG_BYTES })
  decipher.setAAD(aadOf(keys, start))
  decipher.setAuthTag(sealed.subarray(tag))
  const plaintext = decipher.update(sealed.subarray(0, tag))
  try {
    // GCM holds nothing back: this only tells whether the tag is right.
    decipher.final()
    return plaintext
  } catch {
    return null
  }
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
