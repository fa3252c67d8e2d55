import type { FileHandle } from '../file-system/file-system.js'
import { type Slot, decodeSlot } from './anchor.js'
import { Damage, notGiven, problem } from './damage.js'
import { FRAMES_OFFSET, HEADER_BYTES, SLOT_BYTES } from './format.js'
import type { LogFiles } from './examine.js'
import type { Keyring } from './keyring.js'
import type { SegmentEntry } from './manifest.js'
import { type SegmentKeys, decodeHeader } from './segment-header.js'

const NAME_DIGITS = 8
const NAME = /^(\d{8,10})\.seg$/

/** A segment whose header is right. `size` and `slots` are as they were when it was opened. */
export interface SegmentFile {
  readonly entry: SegmentEntry
  readonly keys: SegmentKeys
  readonly file: FileHandle
  readonly size: number
  readonly slots: readonly [Slot, Slot]
  /** Stretches may stand in it (SPEC § 4.6, compaction); absent means that one is damage. */
  readonly compacting?: boolean
}

export function segmentPath(directory: string, number: number): string {
  return `${directory}/${String(number).padStart(NAME_DIGITS, '0')}.seg`
}

/** @returns null for names of other files */
export function segmentNumber(name: string): number | null {
  const digits = NAME.exec(name)?.[1]
  return digits === undefined ? null : Number(digits)
}

/**
 * Opens a segment that the manifest lists. Its header and slots were durable before it was listed, so a file that is
 * missing or shorter is corruption, whichever segment it is.
 * @throws log-corrupt, log-unavailable
 */
export async function openSegment(
  { fs, directory, keyring, compacting }: LogFiles,
  entry: SegmentEntry,
  mode: 'r' | 'rw' = 'r',
): Promise<SegmentFile> {
  const path = segmentPath(directory, entry.number)
  const given = <T>(work: Promise<T>) =>
    work.catch((cause: unknown) => Promise.reject(notGiven(entry.number, 0, cause)))
  if (!(await given(fs.exists(path)))) throw new Damage(problem(entry.number, 0, 'segment-missing'))
  const file = await given(fs.open(path, mode))
  try {
    return { entry, file, compacting, ...(await readHead(file, entry, keyring)) }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readHead(file: FileHandle, entry: SegmentEntry, keyring: Keyring) {
  const head = await readBytes(file, entry.number, 0, FRAMES_OFFSET)
  const keys = decodeHeader(head.subarray(0, HEADER_BYTES), keyring, entry)
  if (keys === null) throw new Damage(problem(entry.number, 0, 'segment-header'))
  if (head.length < FRAMES_OFFSET) throw new Damage(problem(entry.number, head.length, 'lost'))
  const slot = (index: number) => {
    const start = HEADER_BYTES + index * SLOT_BYTES
    return decodeSlot(keys, head.subarray(start, start + SLOT_BYTES), index)
  }
  // After the slots: what they claim was there before.
  const size = await file.size().catch((cause: unknown) => {
    throw notGiven(entry.number, 0, cause)
  })
  return { keys, size, slots: [slot(0), slot(1)] as const }
}

/** @throws log-corrupt when the disk does not give the bytes, log-unavailable when the system does not */
export async function readBytes(
  file: FileHandle,
  segment: number,
  offset: number,
  length: number,
): Promise<Buffer> {
  try {
    return await file.read(offset, length)
  } catch (cause) {
    throw notGiven(segment, offset, cause)
  }
}
