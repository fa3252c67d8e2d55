import { wipe } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { Unlock } from '../file-system/file-system.js'
import { CommitQueue } from './commit-queue.js'
import type { Problem } from './damage.js'
import type { LogFiles } from './examine.js'
import { IDLE_CLAIM_MS, MERGE_AFTER_MS } from './format.js'
import { LiveManifest } from './live-manifest.js'
import { type LogKeys, type LogView, readView } from './log-view.js'
import type { Manifest, SegmentEntry } from './manifest.js'
import type { Recovered } from './mend.js'
import { readFrames } from './read-frames.js'
import type { Appended, Head, LogRecord, NewRecord, ReadRecord } from './record.js'
import { removeRetired } from './rewrite/remove-retired.js'
import { type RewriteHost, Rewriter } from './rewrite/rewriter.js'
import { scrubSegments } from './scrub.js'
import { SegmentWriter } from './segment-writer.js'
import type { After } from './timer.js'

/** What `openLog` and `createLog` hand over. */
export interface LogParts {
  readonly files: LogFiles
  readonly manifest: Manifest
  /** Owned by the log from here on, as are the keys of the keyring. */
  readonly keys: LogKeys
  readonly head: Head
  readonly recovered: Recovered | null
  readonly unlock: Unlock
  readonly readOnly: boolean
  readonly rng: Rng
  readonly segmentBytes: number
  readonly after: After
  readonly merge: 'auto' | 'off'
}

/** Somebody waits for the segment being written to end. */
interface Rotation {
  readonly always: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * One open log. Appends are durable when they resolve, in the order they were made; those that come while an fdatasync
 * runs share the next one. The first failed write or fdatasync ends the log: nothing is retried.
 */
export class Log {
  readonly logId: Uint8Array
  readonly recovered: Recovered | null
  readonly #parts: LogParts
  readonly #queue = new CommitQueue()
  readonly #manifest: LiveManifest
  readonly #rewriter: Rewriter
  #files: LogFiles
  #head: Head
  #rotations: Rotation[] = []
  #writer: SegmentWriter | null = null
  #failure: SottoError | null = null
  #closed = false
  #working: Promise<void> | null = null
  #claimDue = false
  #cancelIdle: () => void = () => undefined
  #cancelMerge: () => void = () => undefined
  #closing: Promise<void> | null = null

  constructor(parts: LogParts) {
    this.#parts = parts
    this.logId = parts.files.keyring.logId
    this.recovered = parts.recovered
    this.#head = parts.head
    this.#files = parts.files
    const { fs, directory } = parts.files
    // A writer has removed drafts and retired files when it opened.
    const manifest = parts.readOnly ? parts.manifest : { ...parts.manifest, drafts: [], retired: [] }
    this.#manifest = new LiveManifest({ fs, directory, key: parts.keys.manifest, rng: parts.rng }, manifest)
    this.#rewriter = new Rewriter(this.#host())
    this.#mergeLater()
  }

  /** The last durable record. */
  get head(): Head {
    return this.#head
  }

  /**
   * Appends one group, kept whole; resolves when it is durable. Bodies must not change until then.
   * @throws malformed, too-large (nothing was appended), log-failed, log-closed
   */
  append(records: readonly NewRecord[]): Promise<Appended> {
    const refusal = this.#refusal()
    if (refusal !== null) return Promise.reject(refusal)
    const appended = this.#queue.add(records)
    this.#work()
    return appended
  }

  /**
   * Every record from `fromSeq` up to what is durable now, one by one.
   * @throws log-corrupt where the disk changed since opening; log-closed when the log is closed meanwhile
   */
  async *read(fromSeq = 1): AsyncGenerator<ReadRecord> {
    for await (const records of this.readFrames(fromSeq)) for (const record of records) yield record
  }

  /** The same, a frame's records at a time: for bulk, where a promise a record would dominate. */
  readFrames(fromSeq = 1): AsyncGenerator<readonly ReadRecord[]> {
    const source = {
      view: () => this.#view(),
      renew: () => this.#renew(),
      until: this.#head.seq,
      mustBeOpen: () => this.#mustBeOpen(),
    }
    return readFrames(source, fromSeq)
  }

  /**
   * Erases bodies and salts of these records by a rewrite (SPEC § 4.6): time, type and commitment stay, and with them
   * every link. Resolves when the old bytes are gone; of records that are erased already nothing is written.
   * @throws malformed (no such record, or a compacting log), log-corrupt (nothing was changed), log-failed, log-closed
   */
  forget(seqs: readonly number[]): Promise<void> {
    const refusal = this.#refusal()
    return refusal === null ? this.#rewriter.forget(seqs) : Promise.reject(refusal)
  }

  /** Makes few segments with full frames out of many, where it is worth it. @returns how many there are now */
  merge(): Promise<{ segments: number }> {
    const refusal = this.#refusal()
    return refusal === null ? this.#rewriter.merge() : Promise.reject(refusal)
  }

  /** A new key-encryption key; every segment is rewritten under it, and the keys before it are gone. */
  rekey(): Promise<{ generation: number }> {
    const refusal = this.#refusal()
    return refusal === null ? this.#rewriter.rekey() : Promise.reject(refusal)
  }

  /** Ends the segment being written, so that all records that there are now can be rewritten. */
  rotate(): Promise<void> {
    const refusal = this.#refusal()
    return refusal === null ? this.#rotate(false) : Promise.reject(refusal)
  }

  /**
   * Leaves out the records that `keep` refuses, for a log that is `compacting`; sequence numbers stay. Records that
   * are appended after the call are kept.
   */
  compact(keep: (record: LogRecord) => boolean): Promise<void> {
    const refusal = this.#refusal()
    return refusal === null ? this.#rewriter.compact(keep) : Promise.reject(refusal)
  }

  /**
   * Walks everything that is durable now, beside appends: what opening did not look at (SPEC § 4.5).
   * @param pause called before each frame, so that the caller can make it go slowly
   * @returns what is damaged; nothing is done about it
   * @throws log-closed when the log is closed meanwhile; the signal's reason when it is aborted
   */
  scrub(signal?: AbortSignal, pause?: () => void | Promise<void>): Promise<Problem[]> {
    return scrubSegments({
      files: () => this.#files,
      segments: () => this.#manifest.current.segments,
      until: this.#head.seq,
      beforeFrame: async () => {
        await pause?.()
        signal?.throwIfAborted()
        this.#mustBeOpen()
      },
    })
  }

  /** Waits for what was appended, writes the closing claim, frees the lock and forgets the keys. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #refusal(): SottoError | null {
    if (this.#failure !== null) return this.#failure
    if (this.#closed) return new SottoError('log-closed')
    return this.#parts.readOnly ? new SottoError('log-closed', 'it is open for reading only') : null
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SottoError('log-closed')
  }

  #view(): LogView {
    return { files: this.#files, manifest: this.#manifest.current }
  }

  /** What a writer has done to the log meanwhile; our own manifest is always the newest. */
  async #renew(): Promise<LogView> {
    this.#mustBeOpen()
    if (this.#parts.readOnly) {
      const { files, manifest } = await readView(this.#files, this.#parts.keys)
      this.#files = files
      this.#manifest.found(manifest)
    }
    return this.#view()
  }

  #host(): RewriteHost {
    const files = () => this.#files
    const { rng, segmentBytes, keys } = this.#parts
    return {
      get files() {
        return files()
      },
      ...{ manifest: this.#manifest, rng, segmentBytes, keyringKey: keys.keyring },
      headSeq: () => this.#head.seq,
      rotate: (always) => this.#rotate(always),
      useKeyring: (keyring) => (this.#files = { ...this.#files, keyring }),
      fail: (cause) => this.#fail(cause),
      goOn: () => {
        if (this.#failure !== null) throw this.#failure
        this.#mustBeOpen()
      },
    }
  }

  #mergeLater(): void {
    const { readOnly, merge, after, files } = this.#parts
    if (readOnly || merge === 'off' || files.compacting) return
    this.#cancelMerge()
    this.#cancelMerge = after(MERGE_AFTER_MS, () => {
      if (!this.#closed) void this.#rewriter.mergeQuietly()
    })
  }

  #rotate(always: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rotations.push({ always, resolve, reject })
      this.#work()
    })
  }

  /** Starts the one worker unless it runs. */
  #work(): void {
    this.#cancelIdle()
    this.#working ??= this.#drain()
  }

  async #drain(): Promise<void> {
    // Appends made in the same turn share the first commit.
    await Promise.resolve()
    while (this.#rotations.length > 0 || !this.#queue.empty || this.#claimDue) {
      if (this.#rotations.length > 0) await this.#endSegment()
      else if (!this.#queue.empty) await this.#commit()
      else await this.#claim()
    }
    this.#working = null
    this.#cancelIdle = this.#parts.after(IDLE_CLAIM_MS, () => this.#claimSoon())
  }

  async #commit(): Promise<void> {
    const waiting = this.#queue.take()
    try {
      const writer = await this.#segment()
      const ends = await writer.commit(waiting.map(({ group }) => group))
      this.#head = { seq: writer.end.nextSeq - 1, link: writer.end.link }
      for (const [i, end] of ends.entries()) waiting[i]?.resolve(end)
    } catch (cause) {
      const failure = this.#fail(cause)
      for (const { reject } of waiting) reject(failure)
    }
  }

  async #claim(): Promise<void> {
    this.#claimDue = false
    try {
      if (this.#failure === null) await this.#writer?.settle()
    } catch (cause) {
      this.#fail(cause)
    }
  }

  #claimSoon(): void {
    if (this.#failure !== null || this.#closed) return
    this.#claimDue = true
    this.#work()
  }

  /** The segment to write into: a new one at the first append and whenever the present one is full. */
  async #segment(): Promise<SegmentWriter> {
    if (this.#writer !== null && this.#writer.end.offset < this.#parts.segmentBytes) return this.#writer
    this.#mergeLater()
    return this.#nextSegment()
  }

  async #nextSegment(): Promise<SegmentWriter> {
    const full = this.#writer
    await full?.settle()
    this.#writer = await this.#begin()
    await full?.close()
    return this.#writer
  }

  /** Nothing to end: a log without segments, or a newest one without frames. */
  async #endSegment(): Promise<void> {
    const waiting = this.#rotations.splice(0)
    try {
      if (this.#failure !== null) throw this.#failure
      const last = this.#manifest.current.segments.at(-1)
      const ends = ({ always }: Rotation) => always || (last?.firstSeq ?? 0) <= this.#head.seq
      if (last !== undefined && waiting.some(ends)) await this.#nextSegment()
      for (const { resolve } of waiting) resolve()
    } catch (cause) {
      const failure = this.#fail(cause)
      for (const { reject } of waiting) reject(failure)
    }
  }

  /** The file is durable before the manifest lists it, the manifest before the first frame: see `openSegment`. */
  async #begin(): Promise<SegmentWriter> {
    const firstSeq = this.#head.seq + 1
    const place = { number: this.#manifest.drawNumber(), firstSeq, previousLink: this.#head.link }
    const writer = await SegmentWriter.create(this.#files, place, this.#parts.rng)
    // The newest listed one may be without frames; it makes room.
    const holdsFrames = (entry: SegmentEntry) => entry.firstSeq < firstSeq
    const unused = this.#manifest.current.segments.flatMap((entry) =>
      holdsFrames(entry) ? [] : [entry.number],
    )
    try {
      await this.#manifest.replace(({ segments, retired }) => ({
        segments: [...segments.filter(holdsFrames), writer.entry],
        retired: [...retired, ...unused],
      }))
      await removeRetired(this.#files, this.#manifest, unused)
    } catch (error) {
      await writer.close()
      throw error
    }
    return writer
  }

  /** Nothing more is accepted: after a failed fdatasync the kernel may have dropped what it could not write. */
  #fail(cause: unknown): SottoError {
    this.#failure ??= new SottoError('log-failed', undefined, { cause })
    this.#queue.rejectAll(this.#failure)
    return this.#failure
  }

  async #close(): Promise<void> {
    this.#closed = true
    this.#cancelMerge()
    await this.#rewriter.idle()
    this.#claimDue = true
    this.#work()
    await this.#working
    this.#cancelIdle()
    try {
      await this.#writer?.close()
    } finally {
      const { keyring, manifest } = this.#parts.keys
      wipe(keyring, manifest, ...this.#files.keyring.keks.map(({ kek }) => kek))
      await this.#parts.unlock()
    }
  }
}
