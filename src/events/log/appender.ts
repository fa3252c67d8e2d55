import type { Rng } from '../../foundation/rng.js'
import { CommitQueue } from './commit-queue.js'
import { IDLE_CLAIM_MS } from './format.js'
import type { LogState } from './log-state.js'
import type { SegmentEntry } from './manifest.js'
import type { Appended, NewRecord } from './record.js'
import { removeRetired } from './rewrite/remove-retired.js'
import { SegmentWriter } from './segment-writer.js'
import type { After } from './timer.js'

export interface AppenderParts {
  readonly rng: Rng
  readonly segmentBytes: number
  readonly after: After
  /** A full segment is being followed by a new one. */
  readonly onFull: () => void
}

/** Somebody waits for the segment being written to end. */
interface Rotation {
  readonly always: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes the newest segment, and begins the next: one worker, that does one thing at a time. Appends that come while an
 * fdatasync runs share the next one. The first failed write or fdatasync ends the log.
 */
export class Appender {
  readonly #state: LogState
  readonly #parts: AppenderParts
  readonly #queue = new CommitQueue()
  #rotations: Rotation[] = []
  #writer: SegmentWriter | null = null
  #working: Promise<void> | null = null
  #claimDue = false
  #cancelIdle: () => void = () => undefined

  constructor(state: LogState, parts: AppenderParts) {
    this.#state = state
    this.#parts = parts
  }

  /** @throws as Log.append */
  append(records: readonly NewRecord[]): Promise<Appended> {
    const appended = this.#queue.add(records)
    this.#work()
    return appended
  }

  /**
   * Ends the newest segment, so that all records that are durable now are in one that has a successor; with `always`
   * also a segment that holds no frame yet, which then goes.
   */
  rotate(always: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rotations.push({ always, resolve, reject })
      this.#work()
    })
  }

  /** Waits for what was appended, and claims it. Nothing may be asked for afterwards. */
  async close(): Promise<void> {
    this.#claimDue = true
    this.#work()
    await this.#working
    this.#cancelIdle()
    await this.#writer?.close()
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
      if (this.#state.failure !== null) throw this.#state.failure
      const writer = await this.#segment()
      const ends = await writer.commit(waiting.map(({ group }) => group))
      this.#state.head = { seq: writer.end.nextSeq - 1, link: writer.end.link }
      for (const [i, end] of ends.entries()) waiting[i]?.resolve(end)
    } catch (cause) {
      const failure = this.#state.fail(cause)
      for (const { reject } of waiting) reject(failure)
    }
  }

  async #claim(): Promise<void> {
    this.#claimDue = false
    try {
      if (this.#state.failure === null) await this.#writer?.settle()
    } catch (cause) {
      this.#state.fail(cause)
    }
  }

  #claimSoon(): void {
    if (this.#state.failure !== null || this.#state.closed) return
    this.#claimDue = true
    this.#work()
  }

  /** The segment to write into: a new one at the first append and whenever the present one is full. */
  async #segment(): Promise<SegmentWriter> {
    if (this.#writer !== null && this.#writer.end.offset < this.#parts.segmentBytes) return this.#writer
    this.#parts.onFull()
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
    const { head, manifest, failure } = this.#state
    const waiting = this.#rotations.splice(0)
    try {
      if (failure !== null) throw failure
      const last = manifest.current.segments.at(-1)
      const ends = ({ always }: Rotation) => always || (last?.firstSeq ?? 0) <= head.seq
      if (last !== undefined && waiting.some(ends)) await this.#nextSegment()
      for (const { resolve } of waiting) resolve()
    } catch (cause) {
      const failed = this.#state.fail(cause)
      for (const { reject } of waiting) reject(failed)
    }
  }

  /** The file is durable before the manifest lists it, the manifest before the first frame: see `openSegment`. */
  async #begin(): Promise<SegmentWriter> {
    const { head, files, manifest } = this.#state
    const place = { number: manifest.drawNumber(), firstSeq: head.seq + 1, previousLink: head.link }
    const writer = await SegmentWriter.create(files, place, this.#parts.rng)
    // The newest listed one may be without frames; it makes room.
    const holdsFrames = ({ firstSeq }: SegmentEntry) => firstSeq <= head.seq
    const unused = manifest.current.segments
      .filter((entry) => !holdsFrames(entry))
      .map(({ number }) => number)
    try {
      await manifest.replace(({ segments, retired }) => ({
        segments: [...segments.filter(holdsFrames), writer.entry],
        retired: [...retired, ...unused],
      }))
      await removeRetired(files, manifest, unused)
    } catch (error) {
      await writer.close()
      throw error
    }
    return writer
  }
}
