import { isSottoError } from '../../foundation/errors.js'
import { TAG_BYTES } from '../../foundation/crypto.js'
import { type Boundary, firstBoundary } from './anchor.js'
import { Linker } from './chain.js'
import { FRAME_LENGTH_BYTES, MAX_FRAME_BYTES } from './format.js'
import { decodeGroups } from './frame-plaintext.js'
import { openFrame } from './frame.js'
import type { ReadRecord } from './record.js'
import { type SegmentFile, readBytes } from './segment-file.js'

/** Read ahead of the frames, so that small ones do not cost a read each. */
const READ_AHEAD_BYTES = 256 << 10

/** Walks a segment's frames front to back, one in memory at a time. */
export class FrameWalk {
  readonly #segment: SegmentFile
  readonly #linker = new Linker()
  #position: Boundary
  #ahead: Buffer = Buffer.alloc(0)
  #aheadAt = 0

  /** From the first frame, or from a boundary that a claim of this segment proves. */
  constructor(segment: SegmentFile, start: Boundary = firstBoundary(segment.entry)) {
    this.#segment = segment
    this.#position = start
  }

  /** Behind the last frame that was returned. */
  get position(): Boundary {
    return this.#position
  }

  /**
   * @returns the next frame's records, or null where no whole, valid frame follows: `position` stays there
   * @throws log-corrupt when the disk does not give the bytes
   */
  async next(): Promise<ReadRecord[] | null> {
    const { offset } = this.#position
    const prefix = await this.#bytes(offset, FRAME_LENGTH_BYTES)
    if (prefix.length < FRAME_LENGTH_BYTES) return null
    const length = prefix.readUInt32BE()
    if (length <= TAG_BYTES || length > MAX_FRAME_BYTES) return null
    const sealed = await this.#bytes(offset + FRAME_LENGTH_BYTES, length)
    return sealed.length < length ? null : this.#open(sealed)
  }

  #open(sealed: Buffer): ReadRecord[] | null {
    const start = this.#position
    const plaintext = openFrame(this.#segment.keys, start, sealed)
    if (plaintext === null) return null
    try {
      const { records, nextSeq, link } = decodeGroups(
        plaintext,
        start,
        this.#linker,
        this.#segment.compacting,
      )
      const offset = start.offset + FRAME_LENGTH_BYTES + sealed.length
      this.#position = { frames: start.frames + 1, offset, nextSeq, link }
      return records
    } catch (error) {
      if (isSottoError(error, 'malformed')) return null
      throw error
    }
  }

  /** Up to `length` bytes, fewer only where the file ends. */
  async #bytes(offset: number, length: number): Promise<Buffer> {
    const start = offset - this.#aheadAt
    if (start + length <= this.#ahead.length) return this.#ahead.subarray(start, start + length)
    const { file, entry } = this.#segment
    this.#ahead = await readBytes(file, entry.number, offset, Math.max(length, READ_AHEAD_BYTES))
    this.#aheadAt = offset
    return this.#ahead.subarray(0, length)
  }
}
