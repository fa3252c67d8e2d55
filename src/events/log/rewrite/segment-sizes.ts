import { toHex } from '../../../foundation/bytes.js'
import { newestClaim } from '../anchor.js'
import type { LogFiles } from '../examine.js'
import { openSegment } from '../segment-file.js'
import type { Run } from './source.js'

/** What a sealed segment is made of. */
export interface SegmentSize {
  /** Of the file. */
  readonly bytes: number
  readonly frames: number
  readonly records: number
}

/** Sizes of sealed segments, which never change: each file is looked at once. */
export class SegmentSizes {
  #known = new Map<string, SegmentSize>()

  /** @throws log-corrupt when a header does not open */
  async of(files: LogFiles, run: Run): Promise<readonly SegmentSize[]> {
    const known = new Map<string, SegmentSize>()
    const sizes: SegmentSize[] = []
    for (const part of run) {
      const id = toHex(part.entry.segmentId)
      const size = this.#known.get(id) ?? (await measure(files, part))
      known.set(id, size)
      sizes.push(size)
    }
    this.#known = known
    return sizes
  }
}

async function measure(files: LogFiles, { entry, next }: Run[number]): Promise<SegmentSize> {
  const { file, size, slots } = await openSegment(files, entry)
  await file.close()
  return { bytes: size, frames: newestClaim(slots)?.frames ?? 0, records: next.firstSeq - entry.firstSeq }
}
