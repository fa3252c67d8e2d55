import { dirname } from 'node:path'
import { equalBytes, wipe } from '../../../foundation/bytes.js'
import { SottoError, isSottoError } from '../../../foundation/errors.js'
import type { FileHandle } from '../../file-system/file-system.js'
import { type Boundary, encodeAnchor, firstBoundary, slotOffset } from '../anchor.js'
import { Linker, genesis } from '../chain.js'
import type { LogFiles } from '../examine.js'
import { DEFAULT_SEGMENT_BYTES, FRAMES_OFFSET, HEADER_BYTES } from '../format.js'
import { decodeGroups } from '../frame-plaintext.js'
import { sealFrame } from '../frame.js'
import { type Keyring, drawKeyring, keyringKey, writeKeyring } from '../keyring.js'
import { EMPTY_MANIFEST, type SegmentEntry, manifestKey, writeManifest } from '../manifest.js'
import type { LogOptions } from '../open.js'
import type { Head, ReadRecord } from '../record.js'
import { Scratch } from '../scratch.js'
import { segmentPath } from '../segment-file.js'
import { type SegmentKeys, drawSegmentKeys, encodeHeader } from '../segment-header.js'

interface Writing {
  readonly entry: SegmentEntry
  readonly keys: SegmentKeys
  readonly file: FileHandle
  /** Before and behind the last frame. */
  before: Boundary
  end: Boundary
}

/**
 * Writes a log that was made elsewhere into a directory of its own: the same ID, owner and chain; new keyring, new
 * segments under new random keys. The keyring is written last, so that nothing but a whole log ever opens there. Files
 * are synced one by one and not frame by frame: until `finish` there is nothing to lose.
 */
export class LogImport {
  readonly #options: LogOptions
  readonly #files: LogFiles
  readonly #linker = new Linker()
  readonly #sealed = new Scratch()
  readonly #segments: SegmentEntry[] = []
  #writing: Writing | null = null
  #head: Head

  private constructor(options: LogOptions, keyring: Keyring) {
    const { fs, directory } = options
    this.#options = options
    this.#files = { fs, directory, keyring, compacting: false }
    this.#head = { seq: 0, link: genesis(keyring.logId, keyring.owner) }
  }

  /** `logId` is 16 bytes; the directory is empty or not there yet. @throws log-failed */
  static async create(options: LogOptions, logId: Uint8Array): Promise<LogImport> {
    const keyring = {
      ...drawKeyring(Uint8Array.from(options.owner), options.rng),
      logId: Uint8Array.from(logId),
    }
    return orFailed(async () => {
      await options.fs.mkdir(options.directory)
      await options.fs.syncDirectory(dirname(options.directory))
      return new LogImport(options, keyring)
    })
  }

  /** What was taken in so far; in the beginning 0 and the genesis link. */
  get head(): Head {
    return this.#head
  }

  /**
   * The next groups, as `packContents` gives them. Bodies of what is returned are views onto `content`.
   * @throws malformed for anything but whole groups; log-failed. Only `abandon` may follow then.
   */
  async add(content: Buffer): Promise<readonly ReadRecord[]> {
    const start = { frames: 0, offset: 0, nextSeq: this.#head.seq + 1, link: this.#head.link }
    const { records, nextSeq, link } = decodeGroups(content, start, this.#linker)
    await orFailed(() => this.#write(content, { nextSeq, link }))
    this.#head = { seq: nextSeq - 1, link }
    return records
  }

  /** Makes it a log: everything durable, manifest, keyring. @throws log-failed */
  async finish(): Promise<void> {
    const { fs, directory, keyring } = this.#files
    const { root, rng } = this.#options
    await orFailed(async () => {
      await this.#endSegment()
      await fs.syncDirectory(directory)
      const key = manifestKey(root, keyring.logId)
      await writeManifest(fs, directory, key, { ...EMPTY_MANIFEST, segments: this.#segments }, rng)
      await writeKeyring(fs, directory, keyringKey(root), keyring, rng)
      wipe(key)
    })
    this.#forget()
  }

  /** Lets go of everything that is open; what was written stays where it is, and is no log. Idempotent. */
  async abandon(): Promise<void> {
    const writing = this.#writing
    this.#writing = null
    await writing?.file.close().catch(() => undefined)
    this.#forget()
  }

  async #write(content: Buffer, after: Pick<Boundary, 'nextSeq' | 'link'>): Promise<void> {
    const { segmentBytes = DEFAULT_SEGMENT_BYTES } = this.#options
    if (this.#writing !== null && this.#writing.end.offset >= segmentBytes) await this.#endSegment()
    const writing = (this.#writing ??= await this.#begin())
    const { frames, offset } = writing.end
    const frame = sealFrame(writing.keys, writing.end, content, this.#sealed)
    await writing.file.write(offset, frame)
    writing.before = writing.end
    writing.end = { frames: frames + 1, offset: offset + frame.length, ...after }
  }

  async #begin(): Promise<Writing> {
    const { fs, directory, keyring } = this.#files
    const { rng } = this.#options
    const keys = drawSegmentKeys(keyring.logId, rng)
    const place = { number: this.#segments.length + 1, firstSeq: this.#head.seq + 1 }
    const entry = { ...place, segmentId: keys.segmentId, previousLink: this.#head.link }
    const file = await fs.open(segmentPath(directory, entry.number), 'w')
    const start = firstBoundary(entry)
    const writing = { entry, keys, file, before: start, end: start }
    // Seen by `abandon` from here on, whatever fails next.
    this.#writing = writing
    const header = encodeHeader(keyring, keys, entry, rng)
    await file.write(0, Buffer.concat([header, Buffer.alloc(FRAMES_OFFSET - HEADER_BYTES)]))
    return writing
  }

  /** Both claims, as the writer of a log leaves them: the last frame is durable, and nothing was under way behind it. */
  async #endSegment(): Promise<void> {
    const writing = this.#writing
    if (writing === null) return
    const { file, keys, before, end, entry } = writing
    await file.write(slotOffset(before.frames), encodeAnchor(keys, before, false))
    await file.write(slotOffset(end.frames), encodeAnchor(keys, end, true))
    await file.datasync()
    await file.close()
    wipe(keys.key, keys.anchorKey)
    this.#segments.push(entry)
    this.#writing = null
  }

  #forget(): void {
    wipe(...this.#files.keyring.keks.map(({ kek }) => kek))
  }
}

/** Whether a log that was taken in ends where it was said to. */
export function leadsTo(head: Head, { seq, link }: Head): boolean {
  return head.seq === seq && equalBytes(head.link, link)
}

/** The disk's own errors as one of ours; the code (ENOSPC, EACCES …) is kept as its cause. */
async function orFailed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw isSottoError(cause) ? cause : new SottoError('log-failed', undefined, { cause })
  }
}
