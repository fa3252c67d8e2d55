import { SottoError } from '../../foundation/errors.js'
import type { Reader } from '../../foundation/reader.js'
import { LINK_BYTES, MAX_BODY_BYTES, MAX_U16, SALT_BYTES } from './format.js'
import type { ReadRecord } from './record.js'

/** A kept record at its shortest: four varints of a byte, its time, a salt, no body. */
const SHORTEST_KEPT_BYTES = 4 + 6 + SALT_BYTES

/**
 * The records that compaction kept of a stretch of the log (SPEC § 4.6), behind its leading zero. Its link is stated,
 * not computed; a record ends a group only where it ends the stretch.
 * @throws malformed
 */
export function readStretch(
  fields: Reader,
  records: ReadRecord[],
  firstSeq: number,
): { nextSeq: number; link: Uint8Array } {
  const span = fields.varint()
  const link = fields.bytes(LINK_BYTES)
  const kept = fields.varint()
  const nextSeq = firstSeq + span
  if (
    span === 0 ||
    kept > span ||
    kept * SHORTEST_KEPT_BYTES > fields.left ||
    nextSeq > Number.MAX_SAFE_INTEGER
  )
    throw new SottoError('malformed', 'a stretch of no or too many records')
  let seq = firstSeq
  for (let i = 0; i < kept; i++) {
    seq += fields.varint()
    if (seq >= nextSeq) throw new SottoError('malformed', 'a record behind its stretch')
    const groupEnd = seq === nextSeq - 1
    records.push(readKept(fields, seq, groupEnd ? link : null))
    seq += 1
  }
  return { nextSeq, link }
}

function readKept(fields: Reader, seq: number, link: Uint8Array | null): ReadRecord {
  const at = fields.u48()
  const type = fields.varint()
  const version = fields.varint()
  const size = fields.varint()
  if (type > MAX_U16 || version > MAX_U16 || size > 2 * MAX_BODY_BYTES || size % 2 === 1) {
    throw new SottoError('malformed', 'a kept record out of range')
  }
  const kept = fields.bytes(SALT_BYTES + size / 2)
  const body = kept.subarray(SALT_BYTES)
  return { seq, at, type, version, body, erased: false, kept, groupEnd: link !== null, link }
}
