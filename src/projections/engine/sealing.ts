import { hash } from 'node:crypto'
import { KEY_BYTES, NONCE_BYTES, kdf, seal, unseal } from '../../foundation/crypto.js'
import { concat, toHex, u16, u32, u8 } from '../../foundation/bytes.js'
import type { Rng } from '../../foundation/rng.js'
import { damaged } from './damage.js'
import type { Table } from './fold.js'

/** SPEC § 5: the first byte of every key tells what stands behind it. */
export const STORE_KEY = Buffer.of(0x00)
export const ROW_PREFIX = 0x01
export const CHECKPOINT_PREFIX = 0x02
export const MARK_PREFIX = 0x03
export const PAGE_PREFIX = 0x04
export const PLACE_PREFIX = 0x05
export const UNPURGED_KEY = Buffer.of(0x06)

export const STORE_ID_BYTES = 16
/** Batch marks are kept for that many batches: more than fit into level's write-ahead log. */
export const MARKS = 4096
export const ROW_KEY_BYTES = 19
export const ROW_HASH_BYTES = 16
/** u32 page ‖ u16 slot */
export const PLACE_BYTES = 6
const NONCES_DRAWN = 256

export interface ProjectionKeys {
  /** K of SPEC § 5. */
  readonly root: Uint8Array
  /** Of digests: the same for every store of this log, on every device. */
  readonly digestKey: Uint8Array
}

export function projectionKeys(root: Uint8Array, logId: Uint8Array): ProjectionKeys {
  const k = kdf(root, 'sotto/projections/1', logId)
  return { root: k, digestKey: kdf(k, 'sotto/row-digest/1') }
}

export function checkpointKey(projection: number): Buffer {
  return Buffer.of(CHECKPOINT_PREFIX, projection)
}
export function markKey(batch: number): Buffer {
  return concat(u8(MARK_PREFIX), u16(batch % MARKS))
}
export function pageKey(table: Table<unknown>, page: number): Buffer {
  return concat(Uint8Array.of(PAGE_PREFIX, table.projection, table.number), u32(page))
}

/** Where a row of one store stands: names are hashed under a key, so that they show nothing. */
export interface RowKey {
  /** 19 bytes: `prefix ‖ projection ‖ table ‖ 16 bytes of the hash`. */
  readonly key: Buffer
  /** The whole hash, a character a byte; the 6 bytes after the first 16 mask the row's place on a heap page. */
  readonly digest: string
}

/** Seals what goes into one store: nothing there is in the clear, and no value opens in another place. */
export class Sealer {
  readonly #valueKey: Uint8Array
  readonly #rng: Rng
  #nonces: Buffer = Buffer.alloc(0)
  readonly #keyKey: string
  /** What is hashed before a name, by table ID. */
  readonly #heads = new Map<number, string>()

  constructor(keys: ProjectionKeys, storeId: Uint8Array, rng: Rng) {
    this.#valueKey = kdf(keys.root, 'sotto/row-value/1', storeId, KEY_BYTES)
    this.#keyKey = toHex(kdf(keys.root, 'sotto/row-key/2', storeId, KEY_BYTES))
    this.#rng = rng
  }

  /**
   * SHA-256 over key and name, not HMAC, which costs ten times as much here: the key has a fixed length and 22 of the
   * 32 bytes are used, so that what is seen cannot be extended (SPEC § 5). As text, because that is hashed without copies.
   */
  rowKey(table: Table<unknown>, name: string): RowKey {
    const digest = hash('sha256', (this.#heads.get(table.id) ?? this.#headOf(table)) + name, 'binary')
    const key = Buffer.allocUnsafe(ROW_KEY_BYTES)
    key[0] = table.heap ? PLACE_PREFIX : ROW_PREFIX
    key[1] = table.projection
    key[2] = table.number
    key.write(digest, ROW_KEY_BYTES - ROW_HASH_BYTES, ROW_HASH_BYTES, 'latin1')
    return { key, digest }
  }

  #headOf(table: Table<unknown>): string {
    const head = `${this.#keyKey}sotto/row/2/${table.projection}/${table.number}/`
    this.#heads.set(table.id, head)
    return head
  }

  seal(at: Uint8Array, plain: Uint8Array): Buffer {
    const nonce = this.#drawNonce()
    return concat(nonce, seal(this.#valueKey, nonce, at, plain))
  }

  /** Random, and each used once; drawn by the block, since a flush needs thousands. */
  #drawNonce(): Buffer {
    if (this.#nonces.length === 0) this.#nonces = this.#rng.bytes(NONCE_BYTES * NONCES_DRAWN)
    const nonce = this.#nonces.subarray(0, NONCE_BYTES)
    this.#nonces = this.#nonces.subarray(NONCE_BYTES)
    return nonce
  }

  /** @throws projections-damaged unless the value was sealed for this very key of this store */
  open(at: Uint8Array, sealed: Uint8Array): Buffer {
    const plain = unseal(this.#valueKey, sealed.subarray(0, NONCE_BYTES), at, sealed.subarray(NONCE_BYTES))
    if (plain === null) throw damaged('a value does not open')
    return plain
  }
}
