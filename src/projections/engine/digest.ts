import { lp, u16, u8 } from '../../foundation/bytes.js'
import { hash } from '../../foundation/crypto.js'
import type { Database } from './database.js'
import type { AnyFold } from './fold.js'
import type { Rows } from './rows.js'
import { ROW_PREFIX } from './sealing.js'
import type { Sealer } from './sealing.js'

/** What a projection comes to: equal for equal rows, wherever and in whatever order they were stored. */
export interface Digest {
  readonly name: string
  readonly rows: number
  /** 32 bytes */
  readonly hash: Uint8Array
}

type Entry = readonly [rowKey: Buffer, packed: Uint8Array]

/**
 * h₀ = H('sotto/projection/1', u8 number ‖ u16 version); h = H('sotto/projection-row/1', h ‖ row key ‖ lp(packed row)) over
 * all rows in order of row key, which depends on the log and the root only. Shows the state of the moment it is called.
 */
export function digest(fold: AnyFold, database: Database, sealer: Sealer, rows: Rows): Promise<Digest> {
  const unsettled = rows.unsettled(fold.number)
  const range = { gte: Buffer.of(ROW_PREFIX, fold.number), lt: Buffer.of(ROW_PREFIX, fold.number + 1) }
  return chained(fold, merged(opened(database.entries(range), sealer, unsettled), unsettled))
}

async function chained(fold: AnyFold, entries: AsyncIterable<Entry>): Promise<Digest> {
  let h = hash('sotto/projection/1', u8(fold.number), u16(fold.version))
  let rows = 0
  for await (const [rowKey, packed] of entries) {
    h = hash('sotto/projection-row/1', h, rowKey, lp(packed))
    rows++
  }
  return { name: fold.name, rows, hash: h }
}

/** Stored rows but for those that memory knows better. */
async function* opened(
  stored: AsyncIterable<[Buffer, Buffer]>,
  sealer: Sealer,
  unsettled: ReadonlyMap<string, unknown>,
): AsyncGenerator<Entry> {
  for await (const [rowKey, sealed] of stored) {
    if (!unsettled.has(rowKey.toString('hex'))) yield [rowKey, sealer.open(rowKey, sealed)]
  }
}

/** Both in order of row key. */
async function* merged(
  stored: AsyncIterable<Entry>,
  unsettled: ReadonlyMap<string, Uint8Array | null>,
): AsyncGenerator<Entry> {
  const waiting = [...unsettled].sort(([a], [b]) => (a < b ? -1 : 1))
  let next = 0
  for await (const entry of stored) {
    const until = entry[0].toString('hex')
    for (; next < waiting.length && (waiting[next]?.[0] ?? '') < until; next++) yield* present(waiting[next])
    yield entry
  }
  for (; next < waiting.length; next++) yield* present(waiting[next])
}

function* present(entry: readonly [string, Uint8Array | null] | undefined): Generator<Entry> {
  if (entry?.[1]) yield [Buffer.from(entry[0], 'hex'), entry[1]]
}
