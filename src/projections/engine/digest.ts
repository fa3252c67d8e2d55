import { hash as sha256 } from 'node:crypto'
import { u16, u64, u8 } from '../../foundation/bytes.js'
import { HASH_BYTES, hash } from '../../foundation/crypto.js'
import type { Database, Range } from './database.js'
import { nameIn } from './entry.js'
import type { AnyFold } from './fold.js'
import { decodePage } from './heap-pages.js'
import type { Rows } from './rows.js'
import { PAGE_PREFIX, ROW_PREFIX } from './sealing.js'
import type { Sealer } from './sealing.js'

/** What a projection comes to: equal for equal rows, wherever and in whatever order they were stored. */
export interface Digest {
  readonly name: string
  readonly rows: number
  /** 32 bytes */
  readonly hash: Uint8Array
}

export interface Digesting {
  readonly database: Database
  readonly sealer: Sealer
  readonly rows: Rows
  readonly digestKey: Uint8Array
}

interface Entry {
  readonly table: number
  readonly entry: Buffer
}

const ROW_LABEL = Buffer.from('sotto/projection-row/1')
const LIMBS = HASH_BYTES / 2
const LIMB = 2 ** 16

/**
 * H('sotto/projection/1', u8 number ‖ u16 version ‖ u64 rows ‖ the sum of a keyed hash of each row, mod 2^256): no order of
 * rows is needed, and none can be made up to fit, since the key is secret. Shows the state of the moment it is called.
 */
export async function digest(fold: AnyFold, digesting: Digesting): Promise<Digest> {
  const sum = new KeyedSum(digesting.digestKey, fold.number)
  for await (const { table, entry } of entriesOf(fold.number, digesting)) sum.add(table, entry)
  const { rows } = sum
  const h = hash('sotto/projection/1', u8(fold.number), u16(fold.version), u64(rows), sum.bytes())
  return { name: fold.name, rows, hash: h }
}

/** Stored rows but for those that memory knows better, and these. What is read is fixed when it is called. */
function entriesOf(projection: number, { database, sealer, rows }: Digesting): AsyncIterable<Entry> {
  const unsettled = rows.unsettled(projection)
  const isSettled = ({ table, entry }: Entry) => unsettled.get(table)?.has(nameIn(entry)) !== true
  const plain = database.entries(under(ROW_PREFIX, projection))
  const pages = database.entries(under(PAGE_PREFIX, projection))
  return (async function* () {
    for await (const [key, sealed] of plain) {
      const entry = { table: key[2] ?? 0, entry: sealer.open(key, sealed) }
      if (isSettled({ ...entry, table: projection * 256 + entry.table })) yield entry
    }
    for await (const [key, sealed] of pages) {
      for (const entry of decodePage(sealer.open(key, sealed))) {
        const table = key[2] ?? 0
        if (entry !== null && isSettled({ table: projection * 256 + table, entry })) yield { table, entry }
      }
    }
    for (const [id, entries] of unsettled) {
      for (const entry of entries.values()) if (entry !== null) yield { table: id % 256, entry }
    }
  })()
}

function under(prefix: number, projection: number): Range {
  return { gte: Buffer.of(prefix, projection), lt: Buffer.of(prefix, projection + 1) }
}

/** Σ SHA-256(key ‖ 'sotto/projection-row/1' ‖ u8 projection ‖ u8 table ‖ entry), kept in 16-bit limbs that carry at the end. */
class KeyedSum {
  rows = 0
  readonly #head: Buffer
  /** Sums of up to 2^37 rows stay exact. */
  readonly #limbs = new Float64Array(LIMBS)

  constructor(key: Uint8Array, projection: number) {
    this.#head = Buffer.concat([key, ROW_LABEL, Buffer.of(projection, 0)])
  }

  add(table: number, entry: Buffer): void {
    this.#head[this.#head.length - 1] = table
    const h = sha256('sha256', Buffer.concat([this.#head, entry]), 'buffer')
    for (let n = 0; n < LIMBS; n++) this.#limbs[n] = (this.#limbs[n] ?? 0) + h.readUInt16BE(2 * n)
    this.rows++
  }

  bytes(): Buffer {
    const out = Buffer.alloc(HASH_BYTES)
    let carry = 0
    for (let n = LIMBS - 1; n >= 0; n--) {
      const limb = (this.#limbs[n] ?? 0) + carry
      out.writeUInt16BE(limb % LIMB, 2 * n)
      carry = Math.floor(limb / LIMB)
    }
    return out
  }
}
