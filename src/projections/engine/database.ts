import { mkdir } from 'node:fs/promises'
import { Level } from 'level'
import { MemoryLevel } from 'memory-level'
import { muteLevel } from '../../events/file-system/mute-level.js'
import { concat } from '../../foundation/bytes.js'

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
  /**
   * All or nothing; synced only if asked: the log is the truth. Operations are taken one by one before it returns; when
   * taking them throws, nothing is written.
   */
  batch(operations: Iterable<Operation>, durably?: boolean): Promise<void>
  /** Reads the state of the moment it is called, whatever is written meanwhile. */
  entries(range: Range): AsyncIterable<[Buffer, Buffer]>
  keys(range: Range): AsyncIterable<Buffer>
  /** About how many bytes the keys that begin with it take up on disk. */
  sizeOf(prefix: Buffer): Promise<number>
  /**
   * When it resolves, no file holds an older value of any key that begins with one of these, nor one that was deleted,
   * and nothing is left of the write-ahead log before. No iterator may be open.
   */
  purge(prefixes: readonly Buffer[]): Promise<void>
  close(): Promise<void>
}

const PRIVATE_DIRECTORY = 0o700
const BINARY = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
/** Sealed bytes do not compress. Fewer, larger files: rows are written once and often. */
const ON_DISK = { ...BINARY, compression: false, writeBufferSize: 8 << 20, maxFileSize: 8 << 20 } as const
/** After every key that begins alike. */
const LAST = Buffer.alloc(64, 0xff)
/** A key that nothing stands behind, before all others but the store's own. */
const NO_KEY = Buffer.of(0x00, 0x00)
/** Prefixes of a projection or a table are no keys themselves; a longer one may be. */
const TABLE_PREFIX_BYTES = 3

/** @throws what level throws: a held lock is LEVEL_LOCKED in the error's cause */
export async function openOnDisk(location: string): Promise<Database> {
  await mkdir(location, { recursive: true, mode: PRIVATE_DIRECTORY })
  await muteLevel(location)
  const level = new Level<Buffer, Buffer>(location, ON_DISK) as ClassicLevel
  await level.open()
  return {
    ...adapt(level),
    sizeOf: (prefix) => level.approximateSize(prefix, concat(prefix, LAST)),
    purge: (prefixes) => purge(level, prefixes),
    close: () => level.close(),
  }
}

/** Closing keeps the content, so that a test may open it again. */
export async function openInMemory(content: Iterable<[Buffer, Buffer]> = []): Promise<Database> {
  const level = new MemoryLevel<Buffer, Buffer>({ ...BINARY, storeEncoding: 'buffer' })
  await level.open()
  await level.batch(Array.from(content, ([key, value]) => ({ type: 'put', key, value })))
  return {
    ...adapt(level),
    sizeOf: () => Promise.resolve(0),
    purge: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

/** What level and memory-level have in common. */
type AnyLevel = Pick<MemoryLevel<Buffer, Buffer>, 'getSync' | 'batch' | 'iterator' | 'keys'>
/** What `level` is in Node, beside what it is everywhere. */
type ClassicLevel = Level<Buffer, Buffer> & {
  approximateSize(start: Buffer, end: Buffer): Promise<number>
  compactRange(start: Buffer, end: Buffer): Promise<void>
}

function adapt(level: AnyLevel): Pick<Database, 'getSync' | 'batch' | 'entries' | 'keys'> {
  return {
    getSync: (key) => level.getSync(key),
    // Chained, because level clones every operation of an array.
    async batch(operations, durably = false) {
      const batch = level.batch()
      try {
        for (const each of operations) {
          if (each.type === 'put') batch.put(each.key, each.value)
          else batch.del(each.key)
        }
      } catch (error) {
        await batch.close()
        throw error
      }
      // Only level on disk knows the option, and it is what makes the write-ahead log synced.
      await batch.write({ sync: durably } as object)
    },
    entries: (range) => level.iterator(range),
    keys: (range) => level.keys(range),
  }
}

/**
 * LevelDB drops older values only where it merges files, and compactRange does not touch those that are alone on the
 * deepest level, nor drop what is superseded inside the one it makes of the write-ahead log. So that is written out first;
 * then a new file is laid over each range, deletions of keys that never were, which has to be merged into all below it.
 */
async function purge(level: ClassicLevel, prefixes: readonly Buffer[]): Promise<void> {
  await level.compactRange(NO_KEY, NO_KEY)
  for (const prefix of prefixes) {
    const below = prefix.length > TABLE_PREFIX_BYTES ? prefix.subarray(0, -1) : prefix
    const above = concat(prefix, LAST)
    await level.batch([below, above].map((key) => ({ type: 'del', key })))
    await level.compactRange(below, above)
  }
}
