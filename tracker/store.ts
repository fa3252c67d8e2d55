import type { FileSystem } from '../src/events/file-system/file-system.js'
import { createLog, type Log, openLog } from '../src/events/log/index.js'
import { isSottoError } from '../src/foundation/errors.js'
import type { Rng } from '../src/foundation/rng.js'
import type { TrackerKeys } from './keys.js'
import type { AcceptedRecord } from './record-table.js'
import { decodeRecordStored, encodeRecordStored } from './record-stored.js'

export interface StoreOptions {
  readonly fs: FileSystem
  /** Locked by the caller: the log in it takes no lock of its own. */
  readonly directory: string
  readonly keys: TrackerKeys
  readonly rng: Rng
}

const LOG_DIRECTORY = 'log'

/** A tracker's log, which compaction by key keeps short (SPEC § 4.6, § 8.5). */
export class TrackerStore {
  readonly #log: Log

  private constructor(log: Log) {
    this.#log = log
  }

  /** Opens or creates it. @throws log-corrupt, log-unopened, log-failed */
  static async open({ fs, directory, keys, rng }: StoreOptions): Promise<TrackerStore> {
    const place = { directory: `${directory}/${LOG_DIRECTORY}`, fs, root: keys.root, owner: keys.public, rng }
    const options = { ...place, lock: false, compacting: true }
    return new TrackerStore(await openLog(options).catch((error: unknown) => createMissing(options, error)))
  }

  /** Every record in the log's order: from them the tracker's state follows. */
  async *read(): AsyncGenerator<AcceptedRecord> {
    for await (const record of this.#log.read()) yield decodeRecordStored(record)
  }

  /** Resolves when they are durable. @throws log-failed */
  async append(records: readonly AcceptedRecord[]): Promise<void> {
    await this.#log.append(records.map(encodeRecordStored))
  }

  /**
   * Leaves out the records that `live` refuses, beside appends, which are kept whatever it says; a crash leaves each
   * part of the log as it was or as it is to be. Returns how many it left out.
   * @throws log-failed, log-closed when the store is closed meanwhile
   */
  async compact(live: (accepted: AcceptedRecord) => boolean): Promise<number> {
    let leftOut = 0
    await this.#log.compact((record) => {
      const kept = live(decodeRecordStored(record))
      if (!kept) leftOut += 1
      return kept
    })
    return leftOut
  }

  /** Waits for what is on its way to the disk; breaks off a compaction. */
  async close(): Promise<void> {
    await this.#log.close()
  }
}

function createMissing(options: Parameters<typeof createLog>[0], error: unknown): Promise<Log> {
  if (!isSottoError(error, 'log-missing')) throw error
  return createLog(options)
}
