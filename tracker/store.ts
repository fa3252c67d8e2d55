import type { FileSystem } from '../src/events/file-system/file-system.js'
import { createLog, type Log, openLog } from '../src/events/log/index.js'
import { readWhole, replaceFile } from '../src/events/log/sealed-file.js'
import { utf8 } from '../src/foundation/bytes.js'
import { SottoError } from '../src/foundation/errors.js'
import type { Rng } from '../src/foundation/rng.js'
import type { TrackerKeys } from './keys.js'
import type { AcceptedRecord } from './record-table.js'
import { decodeRecordStored, encodeRecordStored } from './record-stored.js'

export interface StoreOptions {
  readonly fs: FileSystem
  /** Locked by the caller: the logs in it take no lock of their own. */
  readonly directory: string
  readonly keys: TrackerKeys
  readonly rng: Rng
}

/** Which of the two log directories counts; the other is the leftover of a compaction, or is being written by one. */
const CURRENT = 'current'
const NAMES = ['log-a', 'log-b'] as const
type Name = (typeof NAMES)[number]
const COMPACTED_AT_ONCE = 256

/** A tracker's log, replaced by one with the live records only when too much of it is dead. */
export class TrackerStore {
  readonly #options: StoreOptions
  #name: Name
  #log: Log

  private constructor(options: StoreOptions, name: Name, log: Log) {
    this.#options = options
    this.#name = name
    this.#log = log
  }

  /** Opens or creates it. @throws log-corrupt, log-unopened, log-failed */
  static async open(options: StoreOptions): Promise<TrackerStore> {
    await options.fs.mkdir(options.directory)
    const name = await currentName(options)
    if (name !== null) {
      await clear(options, other(name))
      return new TrackerStore(options, name, await openLog(logOptions(options, name)))
    }
    const [first] = NAMES
    const log = await fresh(options, first)
    await makeCurrent(options, first)
    return new TrackerStore(options, first, log)
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
   * Puts a log of `live` alone in the place of this one; a crash leaves the one or the other. Nothing may be appended
   * meanwhile. Returns how many records it holds.
   */
  async compact(live: Iterable<AcceptedRecord>): Promise<number> {
    const name = other(this.#name)
    const log = await fresh(this.#options, name)
    const written = await fill(log, live)
    await makeCurrent(this.#options, name)
    const [old, oldName] = [this.#log, this.#name]
    this.#log = log
    this.#name = name
    await old.close()
    await clear(this.#options, oldName)
    return written
  }

  async close(): Promise<void> {
    await this.#log.close()
  }
}

async function fill(log: Log, live: Iterable<AcceptedRecord>): Promise<number> {
  let written = 0
  let batch: AcceptedRecord[] = []
  for (const accepted of live) {
    batch.push(accepted)
    if (batch.length < COMPACTED_AT_ONCE) continue
    await log.append(batch.map(encodeRecordStored))
    written += batch.length
    batch = []
  }
  if (batch.length > 0) await log.append(batch.map(encodeRecordStored))
  return written + batch.length
}

async function currentName({ fs, directory }: StoreOptions): Promise<Name | null> {
  const bytes = await readWhole(fs, `${directory}/${CURRENT}`)
  if (bytes === null) return null
  const name = NAMES.find((known) => known === bytes.toString('latin1'))
  if (name === undefined) throw new SottoError('log-corrupt', CURRENT)
  return name
}

async function makeCurrent({ fs, directory }: StoreOptions, name: Name): Promise<void> {
  await replaceFile(fs, directory, CURRENT, utf8(name))
}

async function fresh(options: StoreOptions, name: Name): Promise<Log> {
  await clear(options, name)
  await options.fs.mkdir(`${options.directory}/${name}`)
  await options.fs.syncDirectory(options.directory)
  return createLog(logOptions(options, name))
}

async function clear({ fs, directory }: StoreOptions, name: Name): Promise<void> {
  for (const file of await fs.readdir(`${directory}/${name}`)) await fs.unlink(`${directory}/${name}/${file}`)
}

function logOptions({ fs, directory, keys, rng }: StoreOptions, name: Name) {
  return { directory: `${directory}/${name}`, fs, root: keys.root, owner: keys.public, rng, lock: false }
}

function other(name: Name): Name {
  return name === NAMES[0] ? NAMES[1] : NAMES[0]
}
