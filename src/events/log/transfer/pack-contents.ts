import { SottoError } from '../../../foundation/errors.js'
import { COMMITMENT_BYTES, FRAME_BODY_BYTES, FRAME_RECORDS, SALT_BYTES } from '../format.js'
import { groupBytes, putVarint, zigzag } from '../frame-plaintext.js'
import type { Head, ReadRecord } from '../record.js'

const MAX_COUNT_BYTES = 8

/**
 * A log's groups as plaintexts of frames (SPEC § 4.4), with the salts and commitments they have, so that the links come
 * out the same wherever they are read again. Each holds whole groups: up to 256 records or 64 KiB of bodies, or one group
 * that is larger. Goes from the first record to `end`, which must end a group.
 * @throws log-corrupt when the records do not lead to `end`, and whatever reading them throws
 */
export async function* packContents(
  frames: AsyncIterable<readonly ReadRecord[]>,
  end: Head,
): AsyncGenerator<Buffer> {
  let groups: ReadRecord[][] = []
  let size = { records: 0, bytes: 0 }
  for await (const group of groupsUntil(frames, end)) {
    const added = { records: group.length, bytes: group.reduce((sum, { body }) => sum + body.length, 0) }
    const full = size.records + added.records > FRAME_RECORDS || size.bytes + added.bytes > FRAME_BODY_BYTES
    if (full && groups.length > 0) {
      yield encodeContent(groups)
      groups = []
      size = { records: 0, bytes: 0 }
    }
    groups.push(group)
    size = { records: size.records + added.records, bytes: size.bytes + added.bytes }
  }
  if (groups.length > 0) yield encodeContent(groups)
}

async function* groupsUntil(
  frames: AsyncIterable<readonly ReadRecord[]>,
  end: Head,
): AsyncGenerator<ReadRecord[]> {
  if (end.seq === 0) return
  let group: ReadRecord[] = []
  for await (const records of frames) {
    for (const record of records) {
      group.push(record)
      if (record.link === null) continue
      yield group
      group = []
      if (record.seq >= end.seq) {
        if (record.seq !== end.seq || !Buffer.from(end.link).equals(record.link)) throw astray()
        return
      }
    }
  }
  throw astray()
}

/** `varint group count ‖ group…` */
function encodeContent(groups: readonly (readonly ReadRecord[])[]): Buffer {
  const out = Buffer.allocUnsafe(groups.reduce((sum, group) => sum + groupBytes(group), MAX_COUNT_BYTES))
  let at = putVarint(out, 0, groups.length)
  for (const group of groups) at = putGroup(out, at, group)
  return out.subarray(0, at)
}

function putGroup(out: Buffer, start: number, group: readonly ReadRecord[]): number {
  let previousAt = group[0]?.at ?? 0
  let end = out.writeUIntBE(previousAt, putVarint(out, start, group.length), 6)
  for (const { at, type, version, erased, kept } of group) {
    const length = erased ? 2 * COMMITMENT_BYTES + 1 : 2 * (kept.length - SALT_BYTES)
    for (const value of [zigzag(at - previousAt), type, version, length]) end = putVarint(out, end, value)
    out.set(kept, end)
    end += kept.length
    previousAt = at
  }
  return end
}

function astray(): SottoError {
  return new SottoError('log-corrupt', 'it does not lead to its own head')
}
