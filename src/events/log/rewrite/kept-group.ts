import { TAG_BYTES, hash } from '../../../foundation/crypto.js'
import { SottoError } from '../../../foundation/errors.js'
import { COMMITMENT_BYTES, MAX_FRAME_BYTES, SALT_BYTES } from '../format.js'
import { groupBytes, putVarint, zigzag } from '../frame-plaintext.js'
import type { ReadRecord } from '../record.js'

const MAX_VARINT_BYTES = 8

/** A group as it was read and verified; of a compacting log what stood in one frame. */
export interface KeptGroup {
  readonly firstSeq: number
  readonly nextSeq: number
  /** The chain's link after it, 32 bytes. */
  readonly link: Uint8Array
  readonly records: readonly ReadRecord[]
}

/**
 * `group` of SPEC § 4.4 from what the chain holds: the same metas, salts and commitments, so the same link; of the
 * records to `erase` only the commitment. The bytes are the caller's own.
 */
export function encodeKeptGroup({ records }: KeptGroup, erase: ReadonlySet<number>): Buffer {
  const out = Buffer.allocUnsafe(groupBytes(records))
  let previousAt = records[0]?.at ?? 0
  let end = out.writeUIntBE(previousAt, putVarint(out, 0, records.length), 6)
  for (const record of records) {
    end = putVarint(out, end, zigzag(record.at - previousAt))
    end = putVarint(out, end, record.type)
    end = putVarint(out, end, record.version)
    end = record.erased || erase.has(record.seq) ? putErased(out, end, record) : putKept(out, end, record)
    previousAt = record.at
  }
  if (end + TAG_BYTES > MAX_FRAME_BYTES) throw new SottoError('too-large', 'a group over 4 MiB')
  return out.subarray(0, end)
}

function putKept(out: Buffer, start: number, { kept }: ReadRecord): number {
  const end = putVarint(out, start, (kept.length - SALT_BYTES) * 2)
  out.set(kept, end)
  return end + kept.length
}

function putErased(out: Buffer, start: number, { erased, kept }: ReadRecord): number {
  const end = putVarint(out, start, COMMITMENT_BYTES * 2 + 1)
  out.set(erased ? kept : hash('sotto/body/1', kept), end)
  return end + COMMITMENT_BYTES
}

/** Of its own, for parts that are put together later. */
export function varint(value: number): Buffer {
  const out = Buffer.alloc(MAX_VARINT_BYTES)
  return out.subarray(0, putVarint(out, 0, value))
}
