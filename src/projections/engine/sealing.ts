import { KEY_BYTES, NONCE_BYTES, kdf, mac, seal, unseal } from '../../foundation/crypto.js'
import { concat, u16, u8 } from '../../foundation/bytes.js'
import { pack, unpack } from '../../foundation/pack.js'
import type { Rng } from '../../foundation/rng.js'
import { damaged } from './damage.js'
import type { Table } from './fold.js'

/** SPEC § 5: the first byte of every key tells what stands behind it. */
export const STORE_ID_KEY = Buffer.of(0x00)
export const ROW_PREFIX = 0x01
export const CHECKPOINT_PREFIX = 0x02
export const MARK_PREFIX = 0x03

export const STORE_ID_BYTES = 16
/** Batch marks are kept for that many batches: more than fit into level's write-ahead log. */
export const MARKS = 4096
const ROW_MAC_BYTES = 16
const NONCES_DRAWN = 256

export interface ProjectionKeys {
  readonly keyKey: Uint8Array
  readonly root: Uint8Array
}

/** K and key key of SPEC § 5; the same for every store of this log, so that row keys can be compared. */
export function projectionKeys(root: Uint8Array, logId: Uint8Array): ProjectionKeys {
  const k = kdf(root, 'sotto/projections/1', logId)
  return { root: k, keyKey: kdf(k, 'sotto/row-key/1') }
}

export function checkpointKey(projection: number): Buffer {
  return Buffer.of(CHECKPOINT_PREFIX, projection)
}
export function markKey(batch: number): Buffer {
  return concat(u8(MARK_PREFIX), u16(batch % MARKS))
}

/** Seals what goes into one store: nothing there is in the clear, and no value opens in another place. */
export class Sealer {
  readonly #keyKey: Uint8Array
  readonly #valueKey: Uint8Array
  readonly #rng: Rng
  #nonces: Buffer = Buffer.alloc(0)

  constructor(keys: ProjectionKeys, storeId: Uint8Array, rng: Rng) {
    this.#keyKey = keys.keyKey
    this.#valueKey = kdf(keys.root, 'sotto/row-value/1', storeId, KEY_BYTES)
    this.#rng = rng
  }

  /** 19 bytes: `01 ‖ projection ‖ table ‖ MAC[:16]`. */
  rowKey(table: Table<unknown>, key: string): Buffer {
    const name = Buffer.allocUnsafe(2 + Buffer.byteLength(key))
    name[0] = table.projection
    name[1] = table.number
    name.write(key, 2)
    const out = Buffer.allocUnsafe(3 + ROW_MAC_BYTES)
    out[0] = ROW_PREFIX
    out[1] = table.projection
    out[2] = table.number
    mac(this.#keyKey, 'sotto/row/1', name).copy(out, 3, 0, ROW_MAC_BYTES)
    return out
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

  /** @throws projections-damaged also when the row is another one whose MAC begins alike */
  openRow(at: Uint8Array, sealed: Uint8Array, key: string): unknown {
    const content = unpack(this.open(at, sealed))
    if (!Array.isArray(content) || content[0] !== key) throw damaged('a row stands in the wrong place')
    return content[1]
  }
}

export function packRow(key: string, row: unknown): Buffer {
  return pack([key, row])
}
