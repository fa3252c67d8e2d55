import type { Unlock } from '../file-system/file-system.js'
import { Appender } from './appender.js'
import type { Problem } from './damage.js'
import { MERGE_AFTER_MS } from './format.js'
import { type LogStart, LogState } from './log-state.js'
import type { Recovered } from './mend.js'
import { readFrames } from './read-frames.js'
import type { Appended, Head, LogRecord, NewRecord, ReadRecord } from './record.js'
import { Rewriter } from './rewrite/rewriter.js'
import { scrubSegments } from './scrub.js'
import type { After } from './timer.js'

/** What `openLog` and `createLog` hand over. */
export interface LogParts extends LogStart {
  readonly recovered: Recovered | null
  readonly unlock: Unlock
  readonly segmentBytes: number
  readonly after: After
  readonly merge: 'auto' | 'off'
}

/**
 * One open log. Appends are durable when they resolve, in the order they were made; those that come while an fdatasync
 * runs share the next one. The first failed write or fdatasync ends the log: nothing is retried.
 */
export class Log {
  readonly logId: Uint8Array
  readonly recovered: Recovered | null
  readonly #parts: LogParts
  readonly #state: LogState
  readonly #appender: Appender
  readonly #rewriter: Rewriter
  #cancelMerge: () => void = () => undefined
  #closing: Promise<void> | null = null

  constructor(parts: LogParts) {
    const { rng, segmentBytes, after } = parts
    this.#parts = parts
    this.logId = parts.files.keyring.logId
    this.recovered = parts.recovered
    this.#state = new LogState(parts)
    this.#appender = new Appender(this.#state, { rng, segmentBytes, after, onFull: () => this.#mergeLater() })
    this.#rewriter = new Rewriter({
      ...{ state: this.#state, rng, segmentBytes },
      rotate: (always) => this.#appender.rotate(always),
    })
    this.#mergeLater()
  }

  /** The last durable record. */
  get head(): Head {
    return this.#state.head
  }

  /**
   * Appends one group, kept whole; resolves when it is durable. Bodies must not change until then.
   * @throws malformed, too-large (nothing was appended), log-failed, log-closed
   */
  append(records: readonly NewRecord[]): Promise<Appended> {
    return this.#writing(() => this.#appender.append(records))
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
      view: () => this.#state.view,
      renew: () => this.#state.renew(),
      until: this.#state.head.seq,
      mustBeOpen: () => this.#state.mustBeOpen(),
    }
    return readFrames(source, fromSeq)
  }

  /**
   * Erases bodies and salts of these records by a rewrite (SPEC § 4.6): time, type and commitment stay, and with them
   * every link. Resolves when the old bytes are gone; of records that are erased already nothing is written.
   * @throws malformed (no such record, or a compacting log), log-corrupt (nothing was changed), log-failed, log-closed
   */
  forget(seqs: readonly number[]): Promise<void> {
    return this.#writing(() => this.#rewriter.forget(seqs))
  }

  /** Makes few segments with full frames out of many, where it is worth it. @returns how many there are now */
  merge(): Promise<{ segments: number }> {
    return this.#writing(() => this.#rewriter.merge())
  }

  /** A new key-encryption key; every segment is rewritten under it, and the keys before it are gone. */
  rekey(): Promise<{ generation: number }> {
    return this.#writing(() => this.#rewriter.rekey())
  }

  /** Goes on with a `rekey` that was cut short, of which two keys tell. @returns null when there is none */
  finishRekey(): Promise<{ generation: number } | null> {
    return this.#writing(() => this.#rewriter.finishRekey())
  }

  /** Ends the segment being written, so that all records that there are now can be rewritten. */
  rotate(): Promise<void> {
    return this.#writing(() => this.#appender.rotate(false))
  }

  /**
   * Leaves out the records that `keep` refuses, for a log that is `compacting`; sequence numbers stay. Records that
   * are appended after the call are kept.
   */
  compact(keep: (record: LogRecord) => boolean): Promise<void> {
    return this.#writing(() => this.#rewriter.compact(keep))
  }

  /**
   * Walks everything that is durable now, beside appends: what opening did not look at (SPEC § 4.5).
   * @param pause called before each frame, so that the caller can make it go slowly
   * @returns what is damaged; nothing is done about it
   * @throws log-closed when the log is closed meanwhile; the signal's reason when it is aborted
   */
  scrub(signal?: AbortSignal, pause?: () => void | Promise<void>): Promise<Problem[]> {
    return scrubSegments({
      files: () => this.#state.files,
      segments: () => this.#state.manifest.current.segments,
      until: this.#state.head.seq,
      beforeFrame: async () => {
        await pause?.()
        signal?.throwIfAborted()
        this.#state.mustBeOpen()
      },
    })
  }

  /** Waits for what was appended, writes the closing claim, frees the lock and forgets the keys. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #writing<T>(work: () => Promise<T>): Promise<T> {
    const refusal = this.#state.refusal()
    return refusal === null ? work() : Promise.reject(refusal)
  }

  #mergeLater(): void {
    const { readOnly, merge, after, files } = this.#parts
    if (readOnly || merge === 'off' || files.compacting) return
    this.#cancelMerge()
    this.#cancelMerge = after(MERGE_AFTER_MS, () => {
      if (!this.#state.closed) void this.#rewriter.mergeQuietly()
    })
  }

  async #close(): Promise<void> {
    this.#state.closed = true
    this.#cancelMerge()
    await this.#rewriter.idle()
    try {
      await this.#appender.close()
    } finally {
      this.#state.wipe()
      await this.#parts.unlock()
    }
  }
}
