import { Level } from 'level'
import { MemoryLevel } from 'memory-level'
import { muteLevel } from '../../events/file-system/mute-level.js'

export type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }

/** Half-open: from `gte` on, below `lt`. */
export interface Range {
  readonly gte: Buffer
  readonly lt: Buffer
}

/** The little of a level store that the engine uses. Keys are ordered by bytes. */
export interface Database {
  getSync(key: Buffer): Buffer | undefined
  /** All or nothing, not synced: the log is the truth. */
  batch(operations: readonly Operation[]): Promise<void>
  /** Reads the state of the moment it is called, whatever is written meanwhile. */
  entries(range: Range): AsyncIterable<[Buffer, Buffer]>
  keys(range: Range): AsyncIterable<Buffer>
  close(): Promise<void>
}

const BINARY = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
/** Sealed bytes do not compress. Fewer, larger files: rows are written once and often. */
const ON_DISK = { ...BINARY, compression: false, writeBufferSize: 8 << 20, maxFileSize: 8 << 20 } as const

/** @throws what level throws: a held lock is LEVEL_LOCKED in the error's cause */
export async function openOnDisk(location: string): Promise<Database> {
  await muteLevel(location)
  const level = new Level<Buffer, Buffer>(location, ON_DISK)
  await level.open()
  return adapt(level, () => level.close())
}

/** Closing keeps the content, so that a test may open it again. */
export async function openInMemory(): Promise<Database> {
  const level = new MemoryLevel<Buffer, Buffer>({ ...BINARY, storeEncoding: 'buffer' })
  await level.open()
  return adapt(level, () => Promise.resolve())
}

/** What level and memory-level have in common. */
type AnyLevel = Pick<MemoryLevel<Buffer, Buffer>, 'getSync' | 'batch' | 'iterator' | 'keys'>

function adapt(level: AnyLevel, close: () => Promise<void>): Database {
  return {
    getSync: (key) => level.getSync(key),
    batch: (operations) => level.batch([...operations]),
    entries: (range) => level.iterator(range),
    keys: (range) => level.keys(range),
    close,
  }
}
