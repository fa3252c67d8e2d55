import { equalBytes } from '../../foundation/bytes.js'
import { Damage, problem } from './damage.js'
import { type Boundary, firstBoundary, newestClaim } from './anchor.js'
import { FrameWalk } from './frame-walk.js'
import type { LogView } from './log-view.js'
import type { SegmentEntry } from './manifest.js'
import type { ReadRecord } from './record.js'
import { type SegmentFile, openSegment } from './segment-file.js'

export interface ReadSource {
  /** The log as the reader last knew it. */
  readonly view: () => LogView
  /** The log as it is now. @throws log-corrupt, log-unopened */
  readonly renew: () => Promise<LogView>
  /** The last seq to read. */
  readonly until: number
  /** @throws log-closed */
  readonly mustBeOpen: () => void
}

/**
 * The records of each frame, from `fromSeq` on; one frame and a bounded read-ahead are in memory at a time. Segments
 * that a rewrite replaces meanwhile (SPEC § 4.6) are looked for in the newest manifest; what does not open under that one
 * is damage.
 * @throws log-corrupt, log-closed
 */
export async function* readFrames(
  source: ReadSource,
  fromSeq: number,
): AsyncGenerator<readonly ReadRecord[]> {
  let next = fromSeq
  let view = source.view()
  for (;;) {
    try {
      for await (const records of readListed(source, view, next)) {
        const last = records.at(-1)
        if (last === undefined) continue
        next = last.seq + 1
        yield records
      }
      return
    } catch (error) {
      if (!(error instanceof Damage)) throw error
      const now = await source.renew()
      if (now.manifest.generation === view.manifest.generation) throw error
      view = now
    }
  }
}

async function* readListed(
  source: ReadSource,
  view: LogView,
  fromSeq: number,
): AsyncGenerator<readonly ReadRecord[]> {
  const { segments } = view.manifest
  for (const [i, entry] of segments.entries()) {
    const next = segments[i + 1]
    if (next !== undefined && next.firstSeq <= fromSeq) continue
    if (entry.firstSeq > source.until) return
    yield* readSegment(source, view, entry, next, fromSeq)
  }
}

async function* readSegment(
  { until, mustBeOpen }: ReadSource,
  { files }: LogView,
  entry: SegmentEntry,
  next: SegmentEntry | undefined,
  fromSeq: number,
): AsyncGenerator<readonly ReadRecord[]> {
  mustBeOpen()
  const segment = await openSegment(files, entry)
  try {
    const walk = new FrameWalk(segment, startFor(segment, fromSeq))
    const last = Math.min(until, (next?.firstSeq ?? Infinity) - 1)
    while (walk.position.nextSeq <= last) {
      mustBeOpen()
      const records = await walk.next()
      if (records === null) throw new Damage(problem(entry.number, walk.position.offset, 'frame'))
      // A rewrite fills frames anew, so `until` need not end one.
      if (walk.position.nextSeq > fromSeq) yield between(records, fromSeq, until)
    }
    const { nextSeq, link, offset } = walk.position
    const continues =
      next === undefined ||
      nextSeq < next.firstSeq ||
      (nextSeq === next.firstSeq && equalBytes(link, next.previousLink))
    if (!continues) throw new Damage(problem(entry.number, offset, 'chain'))
  } finally {
    await segment.file.close()
  }
}

/** A reader of the newest records begins at the newest claim where that is before them: it stands for all frames before. */
function startFor({ entry, slots }: SegmentFile, fromSeq: number): Boundary {
  const claim = newestClaim(slots)
  return claim !== null && claim.nextSeq <= fromSeq ? claim : firstBoundary(entry)
}

/** Most frames lie between whole. */
function between(records: readonly ReadRecord[], fromSeq: number, until: number): readonly ReadRecord[] {
  const first = records[0]
  const last = records.at(-1)
  if (first === undefined || last === undefined) return records
  if (first.seq >= fromSeq && last.seq <= until) return records
  return records.filter(({ seq }) => seq >= fromSeq && seq <= until)
}
