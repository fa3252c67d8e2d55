import { equalBytes } from '../../foundation/bytes.js'
import type { FileSystem } from '../file-system/file-system.js'
import type { Boundary, Claim, Slot } from './anchor.js'
import { Damage, type Problem, problem } from './damage.js'
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
}

/** A segment that was walked from end to end; `seen` is null where not even its header opened. */
export interface Examined {
  readonly entry: SegmentEntry
  readonly seen: SegmentSeen | null
  readonly ending: Ending
}

/**
 * Walks the chain over all listed segments, in order (SPEC § 4.5). `live`: someone else may be writing, so the end of
 * the last segment is only what it happens to be.
 */
export async function* examine(
  files: LogFiles,
  { segments }: Manifest,
  live: boolean,
): AsyncGenerator<Examined> {
  for (const [i, entry] of segments.entries()) yield await examineSegment(files, entry, segments[i + 1], live)
}

async function examineSegment(
  { fs, directory, keyring }: LogFiles,
  entry: SegmentEntry,
  next: SegmentEntry | undefined,
  live: boolean,
): Promise<Examined> {
  try {
    const segment = await openSegment(fs, directory, entry, keyring)
    const seen = await walkThrough(segment).finally(() => segment.file.close())
    if (next !== undefined) return { entry, seen, ending: judgeSealed(seen, next) }
    return { entry, seen, ending: live ? judgeLive(seen) : judgeEnd(seen) }
  } catch (error) {
    if (!(error instanceof Damage)) throw error
    const { offset, code } = error.problem
    return { entry, seen: null, ending: { kind: 'damaged', offset, code } }
  }
}

async function walkThrough(segment: SegmentFile): Promise<SegmentSeen> {
  const { slots, size } = segment
  const walk = new FrameWalk(segment)
  let beforeEnd = walk.position
  let end = walk.position
  let contradicted = contradiction(slots, end)
  while ((await walk.next()) !== null) {
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
  for (const name of await files.fs.readdir(files.directory)) {
    const number = segmentNumber(name)
    if (number === null || segments.some((entry) => entry.number === number)) continue
    const path = segmentPath(files.directory, number)
    const leftover = drafts.includes(number) || retired.includes(number)
    found.push({ number, path, problem: leftover ? null : await proofIn(files.fs, path, number) })
  }
  return found
}

async function proofIn(fs: FileSystem, path: string, number: number): Promise<Problem | null> {
  if (!(await fs.exists(path))) return null
  try {
    const file = await fs.open(path, 'r')
    const size = await file.size().finally(() => file.close())
    return size > FRAMES_OFFSET ? problem(number, FRAMES_OFFSET, 'manifest-old') : null
  } catch {
    return problem(number, 0, 'unreadable')
  }
}
