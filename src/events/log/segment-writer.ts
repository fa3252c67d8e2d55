import type { CipherGCM } from 'node:crypto'
import type { FileHandle } from '../file-system/file-system.js'
import { concat } from '../../foundation/bytes.js'
import type { Rng } from '../../foundation/rng.js'
import { type Boundary, encodeAnchor, firstBoundary, slotOffset } from './anchor.js'
import { Linker } from './chain.js'
import type { LogFiles } from './examine.js'
import { HEADER_BYTES, FRAMES_OFFSET } from './format.js'
import { type Group, encodeGroups } from './frame-plaintext.js'
import { frameCipher, sealWith } from './frame.js'
import type { SegmentEntry } from './manifest.js'
import type { Appended } from './record.js'
import { SaltPool } from './salt-pool.js'
import { Scratch } from './scratch.js'
import { segmentPath } from './segment-file.js'
import { type SegmentKeys, drawSegmentKeys, encodeHeader } from './segment-header.js'

/** Where in the log a new segment stands. */
export type SegmentPlace = Omit<SegmentEntry, 'segmentId'>

/** Of a commit all that is known before its records are: its cipher, and the claim that those before it are durable. */
interface Prepared {
  readonly cipher: CipherGCM
  readonly claim: Buffer
}

/** The segment that is being written. After any rejection it must not be used again but to close it. */
export class SegmentWriter {
  readonly entry: SegmentEntry
  readonly #keys: SegmentKeys
  readonly #file: FileHandle
  readonly #salts: SaltPool
  readonly #linker = new Linker()
  readonly #plain = new Scratch()
  readonly #sealed = new Scratch()
  #end: Boundary
  #next: Prepared
  #settled = false

  private constructor(entry: SegmentEntry, keys: SegmentKeys, file: FileHandle, rng: Rng) {
    this.entry = entry
    this.#keys = keys
    this.#file = file
    this.#salts = new SaltPool(rng)
    this.#end = firstBoundary(entry)
    this.#next = this.#prepare(this.#end)
  }

  /** Creates the file with header and empty slots, durable by name and content: only then may the manifest list it. */
  static async create(files: LogFiles, place: SegmentPlace, rng: Rng): Promise<SegmentWriter> {
    const { fs, directory, keyring } = files
    const keys = drawSegmentKeys(keyring.logId, rng)
    const entry = { ...place, segmentId: keys.segmentId }
    const file = await fs.open(segmentPath(directory, entry.number), 'w')
    try {
      const header = encodeHeader(keyring, keys, entry, rng)
      await file.write(0, concat(header, Buffer.alloc(FRAMES_OFFSET - HEADER_BYTES)))
      await file.datasync()
      await fs.syncDirectory(directory)
    } catch (error) {
      await file.close()
      throw error
    }
    return new SegmentWriter(entry, keys, file, rng)
  }

  /** Behind the last durable frame. */
  get end(): Boundary {
    return this.#end
  }

  /** Writes one frame, and the claim that those before it are durable; durable when it resolves. */
  async commit(groups: readonly Group[]): Promise<Appended[]> {
    const start = this.#end
    const { cipher, claim } = this.#next
    const { plaintext, ends } = encodeGroups(groups, start, this.#linker, this.#salts, this.#plain)
    const frame = sealWith(cipher, plaintext, this.#sealed)
    plaintext.fill(0)
    this.#settled = false
    await Promise.all([
      this.#file.write(start.offset, frame),
      this.#file.write(slotOffset(start.frames), claim),
    ])
    const synced = this.#file.datasync()
    const end = behind(start, frame.length, ends)
    // While the disk is at work: who appends one record at a time waits for nothing else then.
    this.#next = this.#prepare(end)
    await synced
    this.#end = end
    return ends
  }

  /** Claims the last commit too, when nothing follows it for now. */
  async settle(): Promise<void> {
    if (this.#settled) return
    await this.#file.write(slotOffset(this.#end.frames), encodeAnchor(this.#keys, this.#end, true))
    await this.#file.datasync()
    this.#settled = true
  }

  async close(): Promise<void> {
    this.#keys.key.fill(0)
    this.#keys.anchorKey.fill(0)
    await this.#file.close()
  }

  #prepare(start: Boundary): Prepared {
    this.#salts.fill()
    return { cipher: frameCipher(this.#keys, start), claim: encodeAnchor(this.#keys, start, false) }
  }
}

function behind(
  { frames, offset, nextSeq, link }: Boundary,
  bytes: number,
  ends: readonly Appended[],
): Boundary {
  const last = ends.at(-1)
  return {
    frames: frames + 1,
    offset: offset + bytes,
    nextSeq: last === undefined ? nextSeq : last.seq + 1,
    link: last?.link ?? link,
  }
}
