import { dirname } from 'node:path'
import { equalBytes, wipe } from '../../../foundation/bytes.js'
import { SottoError, isSottoError } from '../../../foundation/errors.js'
import { troubleOf } from '../../../foundation/system-trouble.js'
import { Linker, genesis } from '../chain.js'
import type { LogFiles } from '../examine.js'
import { DEFAULT_SEGMENT_BYTES } from '../format.js'
import { decodeGroups } from '../frame-plaintext.js'
import { type Keyring, drawKeyring, writeKeyring } from '../keyring.js'
import { logKeys } from '../log-view.js'
import { EMPTY_MANIFEST, type SegmentEntry, writeManifest } from '../manifest.js'
import type { LogOptions } from '../open.js'
import type { Head } from '../record.js'
import { DraftSegment } from '../rewrite/draft-segment.js'

/**
 * Writes a log that was made elsewhere into a directory of its own: the same ID, owner and chain; new keyring, new
 * segments under new random keys. The keyring is written last, so that nothing but a whole log ever opens there.
 */
export class LogImport {
  readonly #options: LogOptions
  readonly #files: LogFiles
  readonly #linker = new Linker()
  readonly #segments: SegmentEntry[] = []
  #segment: DraftSegment | null = null
  #head: Head

  private constructor(options: LogOptions, keyring: Keyring) {
    const { fs, directory } = options
    this.#options = options
    this.#files = { fs, directory, keyring, compacting: false }
    this.#head = { seq: 0, link: genesis(keyring.logId, keyring.owner) }
  }

  /** `logId` is 16 bytes; the directory is empty or not there yet. @throws log-failed */
  static create(options: LogOptions, logId: Uint8Array): Promise<LogImport> {
    const { fs, directory, owner, rng } = options
    return orFailed(async () => {
      await fs.mkdir(directory)
      await fs.syncDirectory(dirname(directory))
      const keyring = { ...drawKeyring(Uint8Array.from(owner), rng), logId: Uint8Array.from(logId) }
      return new LogImport(options, keyring)
    })
  }

  /** What was taken in so far; in the beginning 0 and the genesis link. */
  get head(): Head {
    return this.#head
  }

  /**
   * The next groups, as `packContents` gives them; wipes `content`.
   * @returns where each group ends
   * @throws malformed for anything but whole groups; log-failed. Only `close` may follow then.
   */
  async add(content: Buffer): Promise<readonly Head[]> {
    const start = { frames: 0, offset: 0, nextSeq: this.#head.seq + 1, link: this.#head.link }
    const { records, nextSeq, link } = decodeGroups(content, start, this.#linker)
    const ends = records.flatMap((record) =>
      record.link === null ? [] : [{ seq: record.seq, link: record.link }],
    )
    await orFailed(async () => (await this.#room()).write({ plaintext: content, nextSeq, link }))
    this.#head = { seq: nextSeq - 1, link }
    return ends
  }

  /** Makes it a log: everything durable, manifest, keyring. @throws log-failed */
  async finish(): Promise<void> {
    const { fs, directory, keyring } = this.#files
    const { root, rng } = this.#options
    await orFailed(async () => {
      await this.#endSegment()
      await fs.syncDirectory(directory)
      const keys = logKeys(root, keyring.logId)
      await writeManifest(fs, directory, keys.manifest, { ...EMPTY_MANIFEST, segments: this.#segments }, rng)
      await writeKeyring(fs, directory, keys.keyring, keyring, rng)
      wipe(keys.manifest, keys.keyring)
    })
  }

  /** Lets go of keys and files; what was not finished stays where it is, and is no log. Idempotent. */
  async close(): Promise<void> {
    const segment = this.#segment
    this.#segment = null
    await segment?.close().catch(() => undefined)
    wipe(...this.#files.keyring.keks.map(({ kek }) => kek))
  }

  async #room(): Promise<DraftSegment> {
    const { segmentBytes = DEFAULT_SEGMENT_BYTES, rng } = this.#options
    if (this.#segment !== null && this.#segment.end.offset >= segmentBytes) await this.#endSegment()
    const { seq, link } = this.#head
    const place = { number: this.#segments.length + 1, firstSeq: seq + 1, previousLink: link }
    this.#segment ??= await DraftSegment.create(this.#files, place, rng)
    return this.#segment
  }

  async #endSegment(): Promise<void> {
    const segment = this.#segment
    if (segment === null) return
    await segment.finish()
    this.#segment = null
    this.#segments.push(segment.entry)
    await segment.close()
  }
}

/** Whether a log that was taken in ends where it was said to. */
export function leadsTo(head: Head, { seq, link }: Head): boolean {
  return head.seq === seq && equalBytes(head.link, link)
}

/** The disk's own errors as one of ours, with the system's (ENOSPC, EACCES …) as its cause. */
async function orFailed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw isSottoError(cause)
      ? cause
      : (troubleOf(cause) ?? new SottoError('log-failed', undefined, { cause }))
  }
}
