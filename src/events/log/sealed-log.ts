import { wipe } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { Unlock } from '../file-system/file-system.js'
import { CommitQueue } from './commit-queue.js'
import type { Problem } from './damage.js'
import type { LogFiles } from './examine.js'
import { IDLE_CLAIM_MS } from './format.js'
import { type Manifest, writeManifest } from './manifest.js'
import type { Recovered } from './mend.js'
import { type ReadSource, readFrames } from './read-frames.js'
import type { Appended, Head, LogRecord, NewRecord, ReadRecord } from './record.js'
import { scrubSegments } from './scrub.js'
import { SegmentWriter } from './segment-writer.js'
import type { After } from './timer.js'

/** What `openLog` and `createLog` hand over. */
export interface LogParts {
  readonly files: LogFiles
  readonly manifest: Manifest
  /** 32 bytes, owned by the log from here on. */
  readonly manifestKey: Uint8Array
  readonly head: Head
  readonly recovered: Recovered | null
  /** The newest listed segment is this one and holds no frame: the next manifest drops it. */
  readonly unused: number | null
  readonly unlock: Unlock
  readonly readOnly: boolean
  readonly rng: Rng
  readonly segmentBytes: number
  readonly after: After
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
  #manifest: Manifest
  #head: Head
  #unused: number | null
  #writer: SegmentWriter | null = null
  #failure: SottoError | null = null
  #closed = false
  #working: Promise<void> | null = null
  #claimDue = false
  #cancelIdle: () => void = () => undefined
  #closing: Promise<void> | null = null

  constructor(parts: LogParts) {
    this.#parts = parts
    this.logId = parts.files.keyring.logId
    this.recovered = parts.recovered
    this.#manifest = parts.manifest
    this.#head = parts.head
    this.#unused = parts.unused
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
    const { files } = this.#parts
    const source: ReadSource = {
      files,
      segments: this.#manifest.segments,
      until: this.#head.seq,
      mustBeOpen: () => {
        if (this.#closed) throw new SottoError('log-closed')
      },
    }
    return readFrames(source, fromSeq)
  }

  /**
   * Erases bodies and salts of these records by a rewrite (SPEC § 4.6): time, type and commitment stay, and with them
   * every link. Resolves when the old bytes are gone; of records that are erased already nothing is written.
   * @throws malformed (no such record, or a compacting log), log-corrupt (nothing was changed), log-failed, log-closed
   */
  forget(seqs: readonly number[]): Promise<void> {
    return this.#unbuilt(seqs)
  }

  /** Makes few segments with full frames out of many, where it is worth it. @returns how many there are now */
  merge(): Promise<{ segments: number }> {
    return this.#unbuilt()
  }

  /** A new key-encryption key; every segment is rewritten under it, and the keys before it are gone. */
  rekey(): Promise<{ generation: number }> {
    return this.#unbuilt()
  }

  /** Ends the segment being written, so that all records that there are now can be rewritten. */
  rotate(): Promise<void> {
    return this.#unbuilt()
  }

  /**
   * Leaves out the records that `keep` refuses, for a log that is `compacting`; sequence numbers stay. Records that
   * are appended after the call are kept.
   */
  compact(keep: (record: LogRecord) => boolean): Promise<void> {
    return this.#unbuilt(keep)
  }

  #unbuilt<T>(..._: unknown[]): Promise<T> {
    return Promise.reject(new SottoError('internal'))
  }

  /**
   * Walks everything that is durable now, beside appends: what opening did not look at (SPEC § 4.5).
   * @param pause called before each frame, so that the caller can make it go slowly
   * @returns what is damaged; nothing is done about it
   * @throws log-closed when the log is closed meanwhile; the signal's reason when it is aborted
   */
  scrub(signal?: AbortSignal, pause?: () => void | Promise<void>): Promise<Problem[]> {
    return scrubSegments({
      files: () => this.#parts.files,
      segments: () => this.#manifest.segments,
      until: this.#head.seq,
      beforeFrame: async () => {
        await pause?.()
        signal?.throwIfAborted()
        if (this.#closed) throw new SottoError('log-closed')
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

  /** Starts the one worker unless it runs. */
  #work(): void {
    this.#cancelIdle()
    this.#working ??= this.#drain()
  }

  async #drain(): Promise<void> {
    // Appends made in the same turn share the first commit.
    await Promise.resolve()
    while (!this.#queue.empty || this.#claimDue) {
      if (!this.#queue.empty) await this.#commit()
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
    const full = this.#writer
    await full?.settle()
    this.#writer = await this.#begin()
    await full?.close()
    return this.#writer
  }

  /** The file is durable before the manifest lists it, the manifest before the first frame: see `openSegment`. */
  async #begin(): Promise<SegmentWriter> {
    const { files, manifestKey, rng } = this.#parts
    const { generation, segments, drafts, retired } = this.#manifest
    const number = Math.max(0, ...segments.map((entry) => entry.number), ...drafts, ...retired) + 1
    const place = { number, firstSeq: this.#head.seq + 1, previousLink: this.#head.link }
    const writer = await SegmentWriter.create(files, place, rng)
    const kept = segments.filter((entry) => entry.number !== this.#unused)
    const manifest = { generation: generation + 1, segments: [...kept, writer.entry], drafts, retired: [] }
    try {
      await writeManifest(files.fs, files.directory, manifestKey, manifest, rng)
    } catch (error) {
      await writer.close()
      throw error
    }
    this.#manifest = manifest
    this.#unused = null
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
    this.#claimDue = true
    this.#work()
    await this.#working
    this.#cancelIdle()
    try {
      await this.#writer?.close()
    } finally {
      wipe(this.#parts.manifestKey, ...this.#parts.files.keyring.keks.map(({ kek }) => kek))
      await this.#parts.unlock()
    }
  }
}
