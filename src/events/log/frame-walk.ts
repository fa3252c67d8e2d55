import { isSottoError } from '../../foundation/errors.js'
import { TAG_BYTES } from '../../foundation/crypto.js'
import { type Boundary, firstBoundary } from './anchor.js'
import { Linker } from './chain.js'
import { FRAME_LENGTH_BYTES, MAX_FRAME_BYTES } from './format.js'
import { readGroups } from './frame-plaintext.js'
import { openFrame } from './frame.js'
import type { ReadRecord } from './record.js'
import { type SegmentFile, readBytes } from './segment-file.js'

/** Read ahead of the frames, so that small ones do not cost a read each. */
const READ_AHEAD_BYTES = 1 << 20

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
    const records: ReadRecord[] = []
    return (await this.#step(records)) ? records : null
  }

  /** The same for who only wants to know that the frame is right. @returns false where `next` gives null */
  verify(): Promise<boolean> {
    return this.#step(null)
  }

  async #step(into: ReadRecord[] | null): Promise<boolean> {
    const { offset } = this.#position
    if (!this.#holds(offset, FRAME_LENGTH_BYTES)) await this.#readFrom(offset, FRAME_LENGTH_BYTES)
    if (!this.#holds(offset, FRAME_LENGTH_BYTES)) return false
    const length = this.#ahead.readUInt32BE(offset - this.#aheadAt)
    if (length <= TAG_BYTES || length > MAX_FRAME_BYTES) return false
    const frameBytes = FRAME_LENGTH_BYTES + length
    if (!this.#holds(offset, frameBytes)) await this.#readFrom(offset, frameBytes)
    return this.#holds(offset, frameBytes) && this.#open(frameBytes, into)
  }

  #open(frameBytes: number, into: ReadRecord[] | null): boolean {
    const { keys, compacting } = this.#segment
    const start = this.#position
    const from = start.offset - this.#aheadAt
    const sealed = this.#ahead.subarray(from + FRAME_LENGTH_BYTES, from + frameBytes)
    const plaintext = openFrame(keys, start, sealed)
    if (plaintext === null) return false
    try {
      const { nextSeq, link } = readGroups(plaintext, start, this.#linker, into, compacting)
      this.#position = { frames: start.frames + 1, offset: start.offset + frameBytes, nextSeq, link }
      return true
    } catch (error) {
      if (isSottoError(error, 'malformed')) return false
      throw error
    }
  }

  #holds(offset: number, length: number): boolean {
    return offset >= this.#aheadAt && offset + length <= this.#aheadAt + this.#ahead.length
  }

  /** At least `length` bytes, fewer only where the file ends. Beyond its size of then a growing file is read bit by bit. */
  async #readFrom(offset: number, length: number): Promise<void> {
    const { file, entry, size } = this.#segment
    const bytes = Math.max(length, Math.min(READ_AHEAD_BYTES, size - offset))
    this.#ahead = await readBytes(file, entry.number, offset, bytes)
    this.#aheadAt = offset
  }
}
