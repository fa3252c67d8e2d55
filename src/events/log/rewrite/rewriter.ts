import { wipe } from '../../../foundation/bytes.js'
import { SottoError } from '../../../foundation/errors.js'
import { type Keyring, newestKek, withNewKek, writeKeyring } from '../keyring.js'
import type { LogState } from '../log-state.js'
import type { LogRecord } from '../record.js'
import { chunksOf, mergeNext } from './merge-policy.js'
import { GroupPacker, type Packer } from './packer.js'
import { type Workshop, rewriteRun } from './rewrite.js'
import { SegmentSizes } from './segment-sizes.js'
import { type Run, groupsOf } from './source.js'
import { StretchPacker } from './stretch-packer.js'

/** The log as its rewrites see it. */
export interface RewriteHost extends Workshop {
  /** Ends the segment being written; with `always` also one that holds no frame yet. */
  readonly rotate: (always: boolean) => Promise<void>
}

/** Records that wait to be forgotten together. */
interface Forgetting {
  readonly seqs: Set<number>
  readonly done: Promise<void>
}

/** Everything that writes a log's sealed segments anew (SPEC § 4.6), one after the other, beside appends and readers. */
export class Rewriter {
  readonly #host: RewriteHost
  readonly #state: LogState
  readonly #sizes = new SegmentSizes()
  #turn: Promise<unknown> = Promise.resolve()
  #forgetting: Forgetting | null = null

  constructor(host: RewriteHost) {
    this.#host = host
    this.#state = host.state
  }

  /** What is asked for while another rewrite runs is done in one. @throws as Log.forget */
  forget(seqs: readonly number[]): Promise<void> {
    if (this.#state.files.compacting)
      return Promise.reject(wrongMode('a compacting log forgets by compaction'))
    if (!seqs.every((seq) => Number.isInteger(seq) && seq >= 1 && seq <= this.#state.head.seq))
      return Promise.reject(new SottoError('malformed', 'there is no such record'))
    this.#forgetting ??= this.#beginForgetting()
    for (const seq of seqs) this.#forgetting.seqs.add(seq)
    return this.#forgetting.done
  }

  /** @throws as Log.merge */
  merge(): Promise<{ segments: number }> {
    return this.#next(async () => {
      await this.#host.rotate(false)
      await this.#mergeAll()
      return { segments: this.#state.manifest.current.segments.length }
    })
  }

  /** The same without ending the segment being written. Damage is left to whoever reads or scrubs: nothing was changed. */
  async mergeQuietly(): Promise<void> {
    await this.#next(() => this.#mergeAll()).catch(() => undefined)
  }

  /** @throws as Log.rekey */
  rekey(): Promise<{ generation: number }> {
    return this.#next(async () => {
      const widened = withNewKek(this.#state.files.keyring, this.#host.rng)
      await this.#replaceKeyring(widened)
      return this.#underNewest(widened)
    })
  }

  /** @throws as Log.finishRekey */
  finishRekey(): Promise<{ generation: number } | null> {
    return this.#next(async () => {
      const { keyring } = this.#state.files
      return keyring.keks.length === 1 ? null : this.#underNewest(keyring)
    })
  }

  async #underNewest(keyring: Keyring): Promise<{ generation: number }> {
    // Also behind a segment that is just being begun, with the key that was the newest a moment ago.
    await this.#host.rotate(true)
    await this.#rewriteChunks(this.#sealed(), () => this.#packer())
    const newest = newestKek(keyring)
    await this.#replaceKeyring({ ...keyring, keks: [newest] })
    wipe(...keyring.keks.filter((kek) => kek !== newest).map(({ kek }) => kek))
    return { generation: newest.generation }
  }

  /** @throws as Log.compact */
  compact(keep: (record: LogRecord) => boolean): Promise<void> {
    if (!this.#state.files.compacting) return Promise.reject(wrongMode('this log keeps every record'))
    const known = this.#state.head.seq
    return this.#next(async () => {
      await this.#host.rotate(false)
      const counts = (record: LogRecord) => record.seq > known || keep(record)
      await this.#rewriteChunks(this.#sealed(), () => new StretchPacker(counts))
    })
  }

  /** Resolves when nothing is being rewritten any more. */
  async idle(): Promise<void> {
    await this.#turn
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(async () => {
      try {
        this.#state.mustTakeMore()
        return await work()
      } catch (error) {
        throw error instanceof SottoError ? error : this.#state.fail(error)
      }
    })
    this.#turn = done.catch(() => undefined)
    return done
  }

  #beginForgetting(): Forgetting {
    const seqs = new Set<number>()
    const done = this.#next(() => {
      this.#forgetting = null
      return this.#forget(seqs)
    })
    return { seqs, done }
  }

  async #forget(seqs: ReadonlySet<number>): Promise<void> {
    const last = this.#state.manifest.current.segments.at(-1)
    if (last !== undefined && [...seqs].some((seq) => seq >= last.firstSeq)) await this.#host.rotate(false)
    const erase = new Set<number>()
    const holding: Run[number][] = []
    for (const part of this.#sealed()) {
      const found = await this.#unerased(part, seqs)
      for (const seq of found) erase.add(seq)
      if (found.length > 0) holding.push(part)
    }
    for (const run of consecutive(holding)) await this.#rewriteChunks(run, () => new GroupPacker(erase))
  }

  /** Which of the records stand in the segment with body and salt. */
  async #unerased(part: Run[number], seqs: ReadonlySet<number>): Promise<number[]> {
    const within = [...seqs].filter((seq) => seq >= part.entry.firstSeq && seq < part.next.firstSeq)
    if (within.length === 0) return []
    const found: number[] = []
    const last = Math.max(...within)
    for await (const { records, nextSeq } of groupsOf(this.#state.files, [part])) {
      this.#state.mustTakeMore()
      for (const { seq, erased } of records) if (!erased && seqs.has(seq)) found.push(seq)
      if (nextSeq > last) break
    }
    return found
  }

  async #mergeAll(): Promise<void> {
    const { segmentBytes } = this.#host
    for (;;) {
      const sealed = this.#sealed()
      const range = mergeNext(await this.#sizes.of(this.#state.files, sealed), segmentBytes)
      if (range === null) return
      await rewriteRun(this.#host, sealed.slice(range.from, range.to), this.#packer())
    }
  }

  async #rewriteChunks(run: Run, packer: () => Packer): Promise<void> {
    const { segmentBytes } = this.#host
    const sizes = await this.#sizes.of(this.#state.files, run)
    for (const { from, to } of chunksOf(sizes, segmentBytes)) {
      await rewriteRun(this.#host, run.slice(from, to), packer())
    }
  }

  #packer(): Packer {
    return this.#state.files.compacting ? new StretchPacker() : new GroupPacker()
  }

  /** Everything but the segment that is being written. */
  #sealed(): Run {
    const { segments } = this.#state.manifest.current
    return segments.flatMap((entry, i) => {
      const next = segments[i + 1]
      return next === undefined ? [] : [{ entry, next }]
    })
  }

  async #replaceKeyring(keyring: Keyring): Promise<void> {
    const { files, keys } = this.#state
    await writeKeyring(files.fs, files.directory, keys.keyring, keyring, this.#host.rng)
    this.#state.useKeyring(keyring)
  }
}

function consecutive(parts: Run): Run[] {
  const runs: Run[number][][] = []
  for (const part of parts) {
    const run = runs.at(-1)
    if (run?.at(-1)?.next.number === part.entry.number) run.push(part)
    else runs.push([part])
  }
  return runs
}

function wrongMode(why: string): SottoError {
  return new SottoError('malformed', why)
}
