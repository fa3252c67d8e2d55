import { concat, u32, u64, u8 } from '../../foundation/bytes.js'
import { mac, sameSecret } from '../../foundation/crypto.js'
import { Reader } from '../../foundation/reader.js'
import { FRAMES_OFFSET, HEADER_BYTES, LINK_BYTES, SLOT_BYTES, SLOTS } from './format.js'
import type { SegmentEntry } from './manifest.js'
import type { SegmentKeys } from './segment-header.js'

const MAC_BYTES = 16
const CLAIM_BYTES = 4 + 8 + 8 + LINK_BYTES + 1

/** A place between two frames of a segment: how many frames are before it, and what comes next. */
export interface Boundary {
  readonly frames: number
  /** Bytes from the file's start. */
  readonly offset: number
  readonly nextSeq: number
  /** 32 bytes. */
  readonly link: Uint8Array
}

/** That everything before the boundary is durable; `settled` when nothing was being written beyond it. */
export interface Claim extends Boundary {
  readonly settled: boolean
}

/** What stands in a slot: nothing yet, a claim, or bytes that are none (a torn write, or damage). */
export type Slot = Claim | 'empty' | 'broken'

/** Where a segment's frames begin. */
export function firstBoundary({ firstSeq, previousLink }: SegmentEntry): Boundary {
  return { frames: 0, offset: FRAMES_OFFSET, nextSeq: firstSeq, link: previousLink }
}

/** A claim of n frames stands in slot n mod 2, so a torn write spares the claim before it. */
export function slotOffset(frames: number): number {
  return HEADER_BYTES + (frames % SLOTS) * SLOT_BYTES
}

/** Anchor of SPEC § 4.4, 96 bytes. */
export function encodeAnchor(keys: SegmentKeys, boundary: Boundary, settled: boolean): Buffer {
  const { frames, offset, nextSeq, link } = boundary
  const claim = concat(u32(frames), u64(offset), u64(nextSeq), link, u8(settled ? 1 : 0))
  return concat(claim, tagOf(keys, claim), Buffer.alloc(SLOT_BYTES - CLAIM_BYTES - MAC_BYTES))
}

/** Slot `index` (0 or 1) of the 96 bytes in it. */
export function decodeSlot(keys: SegmentKeys, slot: Buffer, index: number): Slot {
  if (slot.every((byte) => byte === 0)) return 'empty'
  const claim = slot.subarray(0, CLAIM_BYTES)
  const tag = slot.subarray(CLAIM_BYTES, CLAIM_BYTES + MAC_BYTES)
  if (!sameSecret(tag, tagOf(keys, claim))) return 'broken'
  if (slot.subarray(CLAIM_BYTES + MAC_BYTES).some((byte) => byte !== 0)) return 'broken'
  const fields = new Reader(claim)
  const frames = fields.u32()
  const boundary = { frames, offset: fields.u64(), nextSeq: fields.u64(), link: fields.bytes(LINK_BYTES) }
  return frames % SLOTS === index ? { ...boundary, settled: fields.u8() === 1 } : 'broken'
}

/** The claim of the most frames, or null where neither slot holds one. */
export function newestClaim([even, odd]: readonly [Slot, Slot]): Claim | null {
  if (typeof even === 'string') return typeof odd === 'string' ? null : odd
  return typeof odd === 'string' || even.frames > odd.frames ? even : odd
}

function tagOf(keys: SegmentKeys, claim: Uint8Array): Buffer {
  return mac(keys.anchorKey, 'sotto/anchor/1', keys.segmentId, claim).subarray(0, MAC_BYTES)
}
