import { SottoError } from '../../foundation/errors.js'
import { troubleOf } from '../../foundation/system-trouble.js'
import type { FileHandle } from '../file-system/file-system.js'
import { encodeAnchor, newestClaim, slotOffset } from './anchor.js'
import type { LogFiles } from './examine.js'
import { FRAMES_OFFSET, HEADER_BYTES } from './format.js'
import { KEYRING_NAME } from './keyring.js'
import { MANIFEST_NAME, type SegmentEntry } from './manifest.js'
import { type Residue, type SegmentSeen, judgeEnd, judgeSlots } from './segment-end.js'
import { shredSegments } from './rewrite/shred.js'
import { removeLeftover } from './sealed-file.js'
import { openSegment } from './segment-file.js'
import type { Survey } from './survey.js'

/** What opening found behind the last whole frame, cut or rewritten by now; told as the fact `LogRecovered`. */
export interface Recovered extends Residue {
  readonly segment: number
}

/**
 * Removes what a crash left: cuts the torn tail, writes a torn slot again, and removes what no manifest lists: segments that
 * were never listed, drafts, and what a rewrite replaced.
 * Only for a whole log, under the lock.
 * @returns what there was to tell, or null
 * @throws log-failed when the disk does not take it; disk-full, log-unavailable
 */
export async function mend(survey: Survey): Promise<Recovered | null> {
  const { last, strays } = survey
  const { files } = survey.view
  try {
    // A rename that was not synced can still come undone: what it replaced is removed only after that.
    await files.fs.syncDirectory(files.directory)
    for (const name of [KEYRING_NAME, MANIFEST_NAME]) await removeLeftover(files.fs, files.directory, name)
    if (last !== null && last.seen !== null) await mendEnd(files, last.entry, last.seen)
    await shredSegments(
      files.fs,
      files.directory,
      strays.map(({ path }) => path),
    )
  } catch (cause) {
    throw (
      troubleOf(cause) ?? new SottoError('log-failed', 'the end of the log could not be mended', { cause })
    )
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

/**
 * Cut and claim may reach the disk in any order or not at all: each of those states is judged like this one.
 * What no claim covers, and the claims, may stand in the system's memory only: their writer was killed before its
 * datasync, or that failed and the system gave them up. So they are written once more and synced before anyone relies
 * on them.
 */
async function mendEnd(files: LogFiles, entry: SegmentEntry, seen: SegmentSeen): Promise<void> {
  const { end, beforeEnd, size, slots } = seen
  const anchorage = judgeSlots(slots)
  if (anchorage === null) return
  const { file, keys } = await openSegment(files, entry, 'rw')
  try {
    if (size > end.offset) await file.truncate(end.offset)
    await writeAgain(file, HEADER_BYTES, FRAMES_OFFSET)
    await writeAgain(file, newestClaim(slots)?.offset ?? FRAMES_OFFSET, end.offset)
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

async function writeAgain(file: FileHandle, from: number, to: number): Promise<void> {
  if (to > from) await file.write(from, await file.read(from, to - from))
}
