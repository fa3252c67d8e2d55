import { setImmediate as othersFirst } from 'node:timers/promises'
import { equalBytes } from '../../../foundation/bytes.js'
import type { Boundary } from '../anchor.js'
import { Damage, problem } from '../damage.js'
import type { LogFiles } from '../examine.js'
import { FrameWalk } from '../frame-walk.js'
import type { SegmentEntry } from '../manifest.js'
import type { ReadRecord } from '../record.js'
import { judgeSealed } from '../segment-end.js'
import { type SegmentFile, openSegment } from '../segment-file.js'
import type { KeptGroup } from './kept-group.js'

/** Consecutive segments, each with its successor; none of them is being written. */
export type Run = readonly { readonly entry: SegmentEntry; readonly next: SegmentEntry }[]

/**
 * Every group of a run, verified: seals, links, where each segment ends, and its slots. One frame is in memory, and before
 * each whatever waits meanwhile (an append, an answer) has its turn.
 * @throws log-corrupt
 */
export async function* groupsOf(files: LogFiles, run: Run): AsyncGenerator<KeptGroup> {
  for (const { entry, next } of run) {
    const segment = await openSegment(files, entry)
    try {
      yield* groupsIn(segment, next)
    } finally {
      await segment.file.close()
    }
  }
}

async function* groupsIn(segment: SegmentFile, next: SegmentEntry): AsyncGenerator<KeptGroup> {
  const { entry, size, slots } = segment
  const walk = new FrameWalk(segment)
  let beforeEnd = walk.position
  for (;;) {
    await othersFirst()
    const start = walk.position
    const records = await walk.next()
    if (records === null) break
    beforeEnd = start
    if (segment.compacting === true) yield { ...between(start, walk.position), records }
    else yield* byGroup(records)
  }
  const seen = { end: walk.position, beforeEnd, size, slots, contradicted: null }
  const ending = judgeSealed(seen, next)
  if (ending.kind === 'damaged') throw new Damage(problem(entry.number, ending.offset, ending.code))
}

function between(start: Boundary, end: Boundary): Omit<KeptGroup, 'records'> {
  return { firstSeq: start.nextSeq, nextSeq: end.nextSeq, link: end.link }
}

function* byGroup(records: readonly ReadRecord[]): Generator<KeptGroup> {
  let from = 0
  for (const [i, { seq, link }] of records.entries()) {
    if (link === null) continue
    const group = records.slice(from, i + 1)
    yield { firstSeq: seq - group.length + 1, nextSeq: seq + 1, link, records: group }
    from = i + 1
  }
}

/** Whether the run still stands in the manifest as it did when it was chosen. */
export function sameSegment(a: SegmentEntry, b: SegmentEntry): boolean {
  return a.number === b.number && equalBytes(a.segmentId, b.segmentId)
}
