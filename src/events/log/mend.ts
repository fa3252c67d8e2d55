import { SottoError } from '../../foundation/errors.js'
import { encodeAnchor, slotOffset } from './anchor.js'
import type { LogFiles } from './examine.js'
import type { SegmentEntry } from './manifest.js'
import { type Residue, type SegmentSeen, judgeEnd, judgeSlots } from './segment-end.js'
import { openSegment } from './segment-file.js'
import type { Survey } from './survey.js'

/** What opening found behind the last whole frame, cut or rewritten by now; told as the fact `LogRecovered`. */
export interface Recovered extends Residue {
  readonly segment: number
}

/**
 * Removes what a crash left: cuts the torn tail, writes a torn slot again, and deletes segments that were never listed.
 * Only for a whole log, under the lock.
 * @returns what there was to tell, or null
 * @throws log-failed when the disk does not take it
 */
export async function mend(files: LogFiles, survey: Survey): Promise<Recovered | null> {
  const { last, strays } = survey
  try {
    if (last !== null && last.seen !== null) await mendEnd(files, last.entry, last.seen)
    for (const { path } of strays) await files.fs.unlink(path)
  } catch (cause) {
    throw new SottoError('log-failed', 'the end of the log could not be mended', { cause })
  }
  return residueOf(survey)
}

/**
 * When the newest segment never got a frame, the one before it is told of again: the process that mended it may have
 * died before it could put the fact into the new one.
 */
function residueOf({ last, previous }: Survey): Recovered | null {
  if (last === null) return null
  if (last.ending.kind === 'residue') return { segment: last.entry.number, ...last.ending.residue }
  if (last.seen?.end.frames !== 0 || previous === null || previous.seen === null) return null
  const ending = judgeEnd(previous.seen)
  return ending.kind === 'residue' ? { segment: previous.entry.number, ...ending.residue } : null
}

/** Cut and claim may reach the disk in any order or not at all: each of those states is judged like this one. */
async function mendEnd(files: LogFiles, entry: SegmentEntry, seen: SegmentSeen): Promise<void> {
  const { end, beforeEnd, size } = seen
  const anchorage = judgeSlots(seen.slots)
  const tail = size > end.offset
  if (anchorage === null || !(tail || anchorage.torn)) return
  const { file, keys } = await openSegment(files, entry, 'rw')
  try {
    if (tail) await file.truncate(end.offset)
    if (anchorage.torn) {
      const settled = anchorage.floor === end.frames
      const claim = encodeAnchor(keys, settled ? end : beforeEnd, settled)
      await file.write(slotOffset(anchorage.floor), claim)
    }
    await file.datasync()
  } finally {
    await file.close()
  }
}
