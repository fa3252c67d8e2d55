import { FRAME_BODY_BYTES, FRAME_RECORDS } from '../format.js'
import type { SegmentSize } from './segment-sizes.js'

/** Fewer are not worth the syncs of a rewrite. */
const MERGED_AT_LEAST = 4
/** Each part is at most one half of what it becomes: so a record is rewritten at most log₂ of the segments' growth times. */
const GROWTH = 2
/** A segment that is alone is rewritten for its frames' sake only when there is something to gain. */
const REFRAMED_FROM_BYTES = 256 << 10
/** Full frames are at most twice as many as the limits ask for: with four times as many, half of them go. */
const TOO_MANY_FRAMES = 4

/** A part of a list, `to` not included. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * Which sealed segments to write anew, in the order of the log: the most small ones that make one segment of at most
 * `segmentBytes`, else one whose frames are far from full.
 * @returns null when nothing is worth it
 */
export function mergeNext(sizes: readonly SegmentSize[], segmentBytes: number): Range | null {
  const merged = smallOnes(sizes, segmentBytes)
  if (merged !== null) return merged
  const from = sizes.findIndex(hasSmallFrames)
  return from === -1 ? null : { from, to: from + 1 }
}

function smallOnes(sizes: readonly SegmentSize[], segmentBytes: number): Range | null {
  let best: Range | null = null
  for (const from of sizes.keys()) {
    const to = farthest(sizes, from, segmentBytes)
    if (to - from >= MERGED_AT_LEAST && (best === null || to - from > best.to - best.from))
      best = { from, to }
  }
  return best
}

/** The end of the longest run from here that fits into one segment and in which no part is large. */
function farthest(sizes: readonly SegmentSize[], from: number, segmentBytes: number): number {
  let [total, largest, end] = [0, 0, from]
  for (let to = from; to < sizes.length; to++) {
    const { bytes } = sizes[to] ?? { bytes: 0 }
    total += bytes
    largest = Math.max(largest, bytes)
    if (total > segmentBytes) break
    if (largest * GROWTH <= total) end = to + 1
  }
  return end
}

function hasSmallFrames({ bytes, frames, records }: SegmentSize): boolean {
  const needed = records / FRAME_RECORDS + bytes / FRAME_BODY_BYTES + 1
  return bytes >= REFRAMED_FROM_BYTES && frames > TOO_MANY_FRAMES * needed
}

/** Parts of at most `segmentBytes` together, or one: what a rewrite takes at a time, so that it needs no more room. */
export function chunksOf(sizes: readonly SegmentSize[], segmentBytes: number): Range[] {
  const chunks: Range[] = []
  let [from, total] = [0, 0]
  for (const [i, { bytes }] of sizes.entries()) {
    if (i > from && total + bytes > segmentBytes) {
      chunks.push({ from, to: i })
      ;[from, total] = [i, 0]
    }
    total += bytes
  }
  if (from < sizes.length) chunks.push({ from, to: sizes.length })
  return chunks
}
