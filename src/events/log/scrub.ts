import { toHex } from '../../foundation/bytes.js'
import { type Problem, problem } from './damage.js'
import { type LogFiles, examineSegment } from './examine.js'
import type { SegmentEntry } from './manifest.js'

/** What a scrub goes over: asked again for each segment, because a writer changes it meanwhile. */
export interface ScrubSource {
  readonly files: () => LogFiles
  readonly segments: () => readonly SegmentEntry[]
  /** Segments that begin behind this seq were begun later, and walked by nobody yet. */
  readonly until: number
  /** Called before each frame; what it throws ends the scrub. */
  readonly beforeFrame: () => void | Promise<void>
}

/**
 * Walks every frame of every segment, beside appends and rewrites (SPEC § 4.5). A segment that a rewrite replaced
 * meanwhile is no problem any more: what stands in its place is walked then.
 * @returns what is damaged, in order of the segments
 */
export async function scrubSegments(source: ScrubSource): Promise<Problem[]> {
  const walked = new Set<string>()
  const problems: Problem[] = []
  const listed = (id: string) => source.segments().some(({ segmentId }) => toHex(segmentId) === id)
  for (;;) {
    const segments = source.segments()
    const due = ({ segmentId, firstSeq }: SegmentEntry) =>
      firstSeq <= source.until && !walked.has(toHex(segmentId))
    const i = segments.findIndex(due)
    const entry = segments[i]
    if (entry === undefined) return problems
    const id = toHex(entry.segmentId)
    walked.add(id)
    const look = { live: true, whole: true, beforeFrame: source.beforeFrame }
    const { ending } = await examineSegment(source.files(), entry, segments[i + 1], look)
    await source.beforeFrame()
    if (ending.kind === 'damaged' && listed(id))
      problems.push(problem(entry.number, ending.offset, ending.code))
  }
}
