import type { Problem } from '../log/damage.js'
import type { Head, ReadRecord } from '../log/record.js'
import type { Log } from '../log/sealed-log.js'
import type { Recovered } from '../log/mend.js'
import { type LogOptions, type OpenLogOptions, createLog, openLog } from '../log/open.js'
import { decodeFact, encodeFact } from '../vocabulary/codec.js'
import type { ErasedFact, Fact, StoredFact } from '../vocabulary/facts.js'

/** A fact as it is read: `link` (32 bytes) is the chain's link after it, on the last fact of a group only. */
export interface ReadFact {
  readonly fact: StoredFact | ErasedFact
  readonly link: Uint8Array | null
}

/** Facts that became durable together, and the chain's link after the last of them (32 bytes). */
export interface AppendedFacts {
  readonly facts: StoredFact[]
  readonly link: Uint8Array
}

/** The log as facts. One append is one group: a crash keeps all of it or nothing. */
export class FactStore {
  readonly #log: Log

  private constructor(log: Log) {
    this.#log = log
  }

  /** @throws as createLog */
  static async create(options: LogOptions): Promise<FactStore> {
    return new FactStore(await createLog(options))
  }

  /** What opening recovered is for the opener to tell, as the fact `LogRecovered`. @throws as openLog */
  static async open(options: OpenLogOptions): Promise<FactStore> {
    return new FactStore(await openLog(options))
  }

  get logId(): Uint8Array {
    return this.#log.logId
  }
  /** The last durable fact. While several appends are under way this moves on before the earlier ones are looked at. */
  get head(): Head {
    return this.#log.head
  }
  get recovered(): Recovered | null {
    return this.#log.recovered
  }

  /** Durable when it resolves, in the order of the calls. `at` is milliseconds since 1970. @throws as Log.append */
  async append(facts: readonly Fact[], at: number): Promise<StoredFact[]> {
    return facts.length === 0 ? [] : (await this.appendLinked(facts, at)).facts
  }

  /** The same with the link after these very facts, whatever was appended since; not for an empty list. */
  async appendLinked(facts: readonly Fact[], at: number): Promise<AppendedFacts> {
    const records = facts.map((fact) => ({ ...encodeFact(fact), at }))
    const { firstSeq, link } = await this.#log.append(records)
    return { facts: facts.map((fact, i) => ({ seq: firstSeq + i, at, ...fact })), link }
  }

  /**
   * Every fact from seq `from` to what is durable now.
   * @throws log-corrupt, unknown-event, log-closed
   */
  async *read(from = 1): AsyncGenerator<ReadFact> {
    for await (const facts of this.readFrames(from)) yield* facts
  }

  /** The same, a frame's facts at a time: for replays. */
  async *readFrames(from = 1): AsyncGenerator<ReadFact[]> {
    for await (const records of this.#log.readFrames(from)) yield records.map(toFact)
  }

  /** The records as the chain holds them, a frame's at a time: for exports, which prove rather than tell. */
  readRecords(from = 1): AsyncGenerator<readonly ReadRecord[]> {
    return this.#log.readFrames(from)
  }

  /** Erases these facts' bodies; resolves when the old bytes are gone. Idempotent. @throws as Log.forget */
  forget(seqs: readonly number[]): Promise<void> {
    return this.#log.forget(seqs)
  }

  /** @returns how many segments there are now; @throws as Log.merge */
  merge(): Promise<{ segments: number }> {
    return this.#log.merge()
  }

  /** The log under a new key; the caller appends `LogKeyRotated`. @throws as Log.rekey */
  rekey(): Promise<{ generation: number }> {
    return this.#log.rekey()
  }

  /** The same for one that was cut short, if there is any. @throws as Log.finishRekey */
  finishRekey(): Promise<{ generation: number } | null> {
    return this.#log.finishRekey()
  }

  /** @see Log.scrub */
  scrub(signal?: AbortSignal, pause?: () => void | Promise<void>): Promise<Problem[]> {
    return this.#log.scrub(signal, pause)
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#log.close()
  }
}

function toFact(record: ReadRecord): ReadFact {
  return { fact: decodeFact(record), link: record.link }
}
