import { equalBytes } from '../../foundation/bytes.js'
import { Damage, problem } from './damage.js'
import type { LogFiles } from './examine.js'
import { FrameWalk } from './frame-walk.js'
import type { SegmentEntry } from './manifest.js'
import type { ReadRecord } from './record.js'
import { openSegment } from './segment-file.js'

export interface ReadSource {
  readonly files: LogFiles
  readonly segments: readonly SegmentEntry[]
  /** The last seq to read; it ends a frame. */
  readonly until: number
  /** @throws log-closed */
  readonly mustBeOpen: () => void
}

/**
 * The records of each frame, from `fromSeq` on; one frame and a bounded read-ahead are in memory at a time.
 * @throws log-corrupt, log-closed
 */
export async function* readFrames(
  source: ReadSource,
  fromSeq: number,
): AsyncGenerator<readonly ReadRecord[]> {
  for (const [i, entry] of source.segments.entries()) {
    const next = source.segments[i + 1]
    if (next !== undefined && next.firstSeq <= fromSeq) continue
    if (entry.firstSeq > source.until) return
    yield* readSegment(source, entry, next, fromSeq)
  }
}

async function* readSegment(
  { files, until, mustBeOpen }: ReadSource,
  entry: SegmentEntry,
  next: SegmentEntry | undefined,
  fromSeq: number,
): AsyncGenerator<readonly ReadRecord[]> {
  mustBeOpen()
  const segment = await openSegment(files, entry)
  try {
    const walk = new FrameWalk(segment)
    const last = Math.min(until, (next?.firstSeq ?? Infinity) - 1)
    while (walk.position.nextSeq <= last) {
      mustBeOpen()
      const records = await walk.next()
      if (records === null) throw new Damage(problem(entry.number, walk.position.offset, 'frame'))
      if (walk.position.nextSeq > fromSeq) yield records.filter(({ seq }) => seq >= fromSeq)
    }
    const { nextSeq, link, offset } = walk.position
    const continues = next === undefined || (nextSeq === next.firstSeq && equalBytes(link, next.previousLink))
    if (!continues) throw new Damage(problem(entry.number, offset, 'chain'))
  } finally {
    await segment.file.close()
  }
}
