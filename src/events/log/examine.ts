import { equalBytes } from '../../foundation/bytes.js'
import type { FileSystem } from '../file-system/file-system.js'
import { type Boundary, type Claim, type Slot, firstBoundary, newestClaim } from './anchor.js'
import { Damage, type Problem, notGiven, problem } from './damage.js'
import { FRAMES_OFFSET } from './format.js'
import { FrameWalk } from './frame-walk.js'
import type { Keyring } from './keyring.js'
import type { Manifest, SegmentEntry } from './manifest.js'
import { type Ending, type SegmentSeen, judgeEnd, judgeLive, judgeSealed } from './segment-end.js'
import { type SegmentFile, openSegment, segmentNumber, segmentPath } from './segment-file.js'

/** Where a log's files are, and what opens them. */
export interface LogFiles {
  readonly fs: FileSystem
  readonly directory: string
  readonly keyring: Keyring
  /** A log that leaves out records that no longer count (SPEC § 4.6, compaction). */
  readonly compacting: boolean
}

/** A segment that was looked at; `seen` is null where not even its header opened. */
export interface Examined {
  readonly entry: SegmentEntry
  readonly seen: SegmentSeen | null
  readonly ending: Ending
}

/** How a log is looked at. */
export interface Look {
  /** Someone else may be writing, so the end of the last segment is only what it happens to be. */
  readonly live: boolean
  /** Of older segments than the newest that fit into this, only what is behind the newest claim is walked. */
  readonly walkBytes: number
}

/** Looks at all listed segments, in order (SPEC § 4.5). */
export async function* examine(
  files: LogFiles,
  { segments }: Manifest,
  { live, walkBytes }: Look,
): AsyncGenerator<Examined> {
  const firstWalked = await oldestWithin(files, segments, walkBytes)
  for (const [i, entry] of segments.entries()) {
    yield await examineSegment(files, entry, segments[i + 1], { live, whole: i >= firstWalked })
  }
}

/** The index of the oldest of the newest segments that fit into so many bytes together. */
async function oldestWithin(
  { fs, directory }: LogFiles,
  segments: readonly SegmentEntry[],
  walkBytes: number,
): Promise<number> {
  if (walkBytes === Infinity) return 0
  let oldest = segments.length
  let bytes = 0
  for (const { number } of segments.toReversed()) {
    bytes += await sizeOf(fs, segmentPath(directory, number))
    if (bytes > walkBytes) break
    oldest--
  }
  return oldest
}

/** That a file is missing or does not open is told when it is its turn. */
async function sizeOf(fs: FileSystem, path: string): Promise<number> {
  try {
    const file = await fs.open(path, 'r')
    return await file.size().finally(() => file.close())
  } catch {
    return 0
  }
}

/** How one segment is looked at: `whole` is from its first frame on, else from its newest claim. */
export interface SegmentLook {
  readonly live: boolean
  readonly whole: boolean
  /** Called before each frame; what it throws ends the look. */
  readonly beforeFrame?: () => void | Promise<void>
}

/** @param next the segment that this one must lead to; without one it is the last */
export async function examineSegment(
  files: LogFiles,
  entry: SegmentEntry,
  next: SegmentEntry | undefined,
  look: SegmentLook,
): Promise<Examined> {
  try {
    const segment = await openSegment(files, entry)
    return await judged(segment, next, look).finally(() => segment.file.close())
  } catch (error) {
    if (!(error instanceof Damage)) throw error
    const { offset, code } = error.problem
    return { entry, seen: null, ending: { kind: 'damaged', offset, code } }
  }
}

/**
 * A claim is authenticated: what lies before it was durable and whole once, and a short look does not ask whether it
 * still is. Where a short look finds damage, a walk from the first frame on tells its place.
 */
async function judged(
  segment: SegmentFile,
  next: SegmentEntry | undefined,
  look: SegmentLook,
): Promise<Examined> {
  const { entry, slots, size } = segment
  const judge = (seen: SegmentSeen): Examined => {
    if (next !== undefined) return { entry, seen, ending: judgeSealed(seen, next) }
    return { entry, seen, ending: look.live ? judgeLive(seen) : judgeEnd(seen) }
  }
  const claim = newestClaim(slots)
  if (!look.whole && claim !== null && claim.offset <= size) {
    const short = judge(await walkFrom(segment, claim, look))
    if (short.ending.kind !== 'damaged') return short
  }
  return judge(await walkFrom(segment, firstBoundary(entry), look))
}

async function walkFrom(
  segment: SegmentFile,
  start: Boundary,
  { beforeFrame }: SegmentLook,
): Promise<SegmentSeen> {
  const { slots, size } = segment
  const walk = new FrameWalk(segment, start)
  let beforeEnd = walk.position
  let end = walk.position
  let contradicted = contradiction(slots, end)
  for (;;) {
    await beforeFrame?.()
    if (!(await walk.verify())) break
    beforeEnd = end
    end = walk.position
    contradicted ??= contradiction(slots, end)
  }
  return { end, beforeEnd, size, slots, contradicted }
}

function contradiction(slots: readonly Slot[], here: Boundary): Claim | null {
  const claims = slots.filter((slot) => typeof slot !== 'string')
  return claims.find((claim) => claim.frames === here.frames && !sameBoundary(claim, here)) ?? null
}

function sameBoundary(a: Boundary, b: Boundary): boolean {
  return a.offset === b.offset && a.nextSeq === b.nextSeq && equalBytes(a.link, b.link)
}

/** A segment file that the manifest does not list. */
export interface Unlisted {
  readonly number: number
  readonly path: string
  /** What it proves: a segment is listed before its first frame, so with frames in it the manifest is an older one. */
  readonly problem: Problem | null
}

/** Without frames an unlisted segment is the leftover of a crash; so are drafts and retired files, whatever they hold. */
export async function unlisted(
  files: LogFiles,
  { segments, drafts, retired }: Manifest,
): Promise<Unlisted[]> {
  const found: Unlisted[] = []
  const names = await files.fs.readdir(files.directory).catch((cause: unknown) => {
    throw notGiven(0, 0, cause)
  })
  for (const name of names) {
    const number = segmentNumber(name)
    if (number === null || segments.some((entry) => entry.number === number)) continue
    const path = segmentPath(files.directory, number)
    const leftover = drafts.includes(number) || retired.includes(number)
    found.push({ number, path, problem: leftover ? null : await proofIn(files.fs, path, number) })
  }
  return found
}

/** @throws log-unavailable */
async function proofIn(fs: FileSystem, path: string, number: number): Promise<Problem | null> {
  try {
    if (!(await fs.exists(path))) return null
    const file = await fs.open(path, 'r')
    const size = await file.size().finally(() => file.close())
    return size > FRAMES_OFFSET ? problem(number, FRAMES_OFFSET, 'manifest-old') : null
  } catch (cause) {
    const error = notGiven(number, 0, cause)
    if (error instanceof Damage) return error.problem
    throw error
  }
}
