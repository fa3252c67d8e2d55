import { equalBytes } from '../../foundation/bytes.js'
import { type Boundary, type Claim, type Slot, newestClaim, slotOffset } from './anchor.js'
import type { DamageCode } from './damage.js'
import { SLOT_BYTES, SLOTS } from './format.js'

/** What a walk over a segment, from its first frame or from its newest claim, saw. */
export interface SegmentSeen {
  /** Behind the last whole, valid frame. */
  readonly end: Boundary
  /** One frame earlier; the same where the walk met no frame. */
  readonly beforeEnd: Boundary
  /** The file's length, in bytes. */
  readonly size: number
  readonly slots: readonly [Slot, Slot]
  /** A claim that disagrees with the frame boundary it speaks of, if any. */
  readonly contradicted: Claim | null
}

/** What a crash left behind, or might have: `ambiguous` when nothing tells whether the last commit was acknowledged. */
export interface Residue {
  readonly offset: number
  readonly bytes: number
  readonly ambiguous: boolean
}

export type Ending =
  | { readonly kind: 'whole' }
  | { readonly kind: 'residue'; readonly residue: Residue }
  | { readonly kind: 'damaged'; readonly offset: number; readonly code: DamageCode }

/** What the slots say about the frames. */
export interface Anchorage {
  /** So many frames were durable. */
  readonly floor: number
  /** So many may stand there at most. */
  readonly ceiling: number
  /** The commit behind `floor` was begun, and maybe acknowledged. */
  readonly begun: boolean
  /** The claim of `floor` frames was being written when the process died; its slot has to be written again. */
  readonly torn: boolean
}

const WHOLE: Ending = { kind: 'whole' }

/**
 * How the last segment ends. A crash can leave only this behind: one frame begun (whole, in part or not at all) and one
 * slot begun, each independent of the other. Everything else is damage.
 */
export function judgeEnd(seen: SegmentSeen): Ending {
  const anchorage = judgeSlots(seen.slots)
  if (anchorage === null) return brokenSlot(seen)
  const { floor, ceiling, begun, torn } = anchorage
  const { frames, offset } = seen.end
  const bytes = seen.size - offset
  if (frames === ceiling && bytes > 0) return damaged(offset, 'surplus')
  const loss = judgeFrames(seen, anchorage)
  if (loss !== null) return loss
  const ambiguous = frames === floor && begun
  if (ambiguous || bytes > 0) return { kind: 'residue', residue: { offset, bytes, ambiguous } }
  if (!torn || unwritten(seen)) return WHOLE
  return { kind: 'residue', residue: { offset: slotOffset(floor), bytes: SLOT_BYTES, ambiguous } }
}

/** The same while someone may be writing: only what must be there is asked for. */
export function judgeLive(seen: SegmentSeen): Ending {
  const anchorage = judgeSlots(seen.slots)
  if (anchorage === null) return brokenSlot(seen)
  return judgeFrames(seen, { ...anchorage, ceiling: Infinity }) ?? WHOLE
}

/**
 * How a segment ends that has a successor: exactly where the next one begins. The writer mended its slots before it
 * began the next, so a torn one is damage too.
 */
export function judgeSealed(
  seen: SegmentSeen,
  next: { readonly firstSeq: number; readonly previousLink: Uint8Array },
): Ending {
  const { offset, nextSeq, link } = seen.end
  if (nextSeq !== next.firstSeq || !equalBytes(link, next.previousLink)) {
    return damaged(offset, seen.size > offset ? 'frame' : 'chain')
  }
  if (seen.size > offset) return damaged(offset, 'surplus')
  const anchorage = judgeSlots(seen.slots)
  if (anchorage === null || anchorage.torn) return brokenSlot(seen)
  return judgeFrames(seen, anchorage) ?? WHOLE
}

/**
 * The slots are written in turn, each after the commit before it was synced. Beside the newest claim, of f frames,
 * stands the claim of f − 1, or nothing yet (f = 0), or a claim of f + 1 that was being written. That last one comes
 * only after commit f has made the claim of f an unsettled one.
 * @returns null for what no crash leaves
 */
export function judgeSlots(slots: readonly [Slot, Slot]): Anchorage | null {
  const newest = newestClaim(slots)
  if (newest === null) return slots[1] === 'empty' ? { floor: 0, ceiling: 1, begun: false, torn: true } : null
  const { frames, settled } = newest
  const other = slots[(frames + 1) % SLOTS] ?? 'broken'
  const asWritten =
    typeof other === 'string' ? frames === 0 && other === 'empty' : other.frames === frames - 1
  if (asWritten)
    return { floor: frames, ceiling: settled ? frames + 1 : frames + 2, begun: !settled, torn: false }
  if (typeof other !== 'string' || settled) return null
  return { floor: frames + 1, ceiling: frames + 2, begun: false, torn: true }
}

function judgeFrames({ end, size, contradicted }: SegmentSeen, { floor, ceiling }: Anchorage): Ending | null {
  if (contradicted !== null) return damaged(slotOffset(contradicted.frames), 'anchor')
  if (end.frames > ceiling) return damaged(slotOffset(floor), 'anchor')
  if (end.frames >= floor) return null
  return damaged(end.offset, size > end.offset ? 'frame' : 'lost')
}

/** A segment that was created and never written to. */
function unwritten({ slots }: SegmentSeen): boolean {
  return slots.every((slot) => slot === 'empty')
}

function brokenSlot({ slots }: SegmentSeen): Ending {
  const broken = slots.findIndex((slot) => typeof slot === 'string')
  return damaged(slotOffset(Math.max(broken, 0)), 'slot')
}

function damaged(offset: number, code: DamageCode): Ending {
  return { kind: 'damaged', offset, code }
}
