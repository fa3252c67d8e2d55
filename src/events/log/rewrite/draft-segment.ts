import { concat } from '../../../foundation/bytes.js'
import type { Rng } from '../../../foundation/rng.js'
import type { FileHandle } from '../../file-system/file-system.js'
import { type Boundary, encodeAnchor, firstBoundary, slotOffset } from '../anchor.js'
import type { LogFiles } from '../examine.js'
import { FRAMES_OFFSET, HEADER_BYTES } from '../format.js'
import { sealFrame } from '../frame.js'
import type { SegmentEntry } from '../manifest.js'
import { Scratch } from '../scratch.js'
import { segmentPath } from '../segment-file.js'
import { type SegmentKeys, drawSegmentKeys, encodeHeader } from '../segment-header.js'
import type { PackedFrame } from './packer.js'

/** Synced this often, so that an append beside it never waits for megabytes of somebody else's. */
const SYNC_EVERY_BYTES = 1 << 20

/** A segment that a rewrite makes: it counts for nothing until the manifest lists it, and is whole by then. */
export class DraftSegment {
  readonly entry: SegmentEntry
  readonly #keys: SegmentKeys
  readonly #file: FileHandle
  readonly #sealed = new Scratch()
  #end: Boundary
  #beforeEnd: Boundary
  #synced = 0

  private constructor(entry: SegmentEntry, keys: SegmentKeys, file: FileHandle) {
    this.entry = entry
    this.#keys = keys
    this.#file = file
    this.#end = firstBoundary(entry)
    this.#beforeEnd = this.#end
  }

  /**
   * The manifest must name the number as a draft already. A new random key, under the newest KEK. The file has its name
   * for good before there is anything in it: one that a crash leaves without a name could not be shredded.
   */
  static async create(
    files: LogFiles,
    place: Omit<SegmentEntry, 'segmentId'>,
    rng: Rng,
  ): Promise<DraftSegment> {
    const keys = drawSegmentKeys(files.keyring.logId, rng)
    const entry = { ...place, segmentId: keys.segmentId }
    const file = await files.fs.open(segmentPath(files.directory, entry.number), 'w')
    try {
      await files.fs.syncDirectory(files.directory)
      const header = encodeHeader(files.keyring, keys, entry, rng)
      await file.write(0, concat(header, Buffer.alloc(FRAMES_OFFSET - HEADER_BYTES)))
    } catch (error) {
      await file.close()
      throw error
    }
    return new DraftSegment(entry, keys, file)
  }

  /** Behind the last frame. */
  get end(): Boundary {
    return this.#end
  }

  async write({ plaintext, nextSeq, link }: PackedFrame): Promise<void> {
    const start = this.#end
    const frame = sealFrame(this.#keys, start, plaintext, this.#sealed)
    plaintext.fill(0)
    await this.#file.write(start.offset, frame)
    this.#beforeEnd = start
    this.#end = { frames: start.frames + 1, offset: start.offset + frame.length, nextSeq, link }
    if (this.#end.offset - this.#synced < SYNC_EVERY_BYTES) return
    await this.#file.datasync()
    this.#synced = this.#end.offset
  }

  /** Both slots, as the writer of a segment leaves them, and everything on the disk. */
  async finish(): Promise<void> {
    const before = encodeAnchor(this.#keys, this.#beforeEnd, false)
    await this.#file.write(slotOffset(this.#beforeEnd.frames), before)
    await this.#file.write(slotOffset(this.#end.frames), encodeAnchor(this.#keys, this.#end, true))
    await this.#file.datasync()
  }

  async close(): Promise<void> {
    this.#keys.key.fill(0)
    this.#keys.anchorKey.fill(0)
    await this.#file.close()
  }
}
