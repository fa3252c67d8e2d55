import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import type { Boundary } from './anchor.js'
import type { Linker } from './chain.js'
import { COMMITMENT_BYTES, MAX_BODY_BYTES, MAX_U16, MAX_U48, SALT_BYTES } from './format.js'
import { FrameRecord } from './frame-record.js'
import type { Scratch } from './scratch.js'
import { readStretch } from './stretch.js'
import type { Appended, NewRecord, ReadRecord } from './record.js'

/** What one append put together; never empty. */
export type Group = readonly NewRecord[]

const MAX_COUNT_BYTES = 8
const GROUP_OVERHEAD_BYTES = MAX_COUNT_BYTES + 6
/** Time step, type, version and length at their longest. */
const RECORD_OVERHEAD_BYTES = 8 + 3 + 3 + 4
/** A record at its shortest: four varints of a byte, a salt, no body. */
const SHORTEST_RECORD_BYTES = 4 + SALT_BYTES

/** An upper bound of what a group takes in a frame, also once its records are erased. */
export function groupBytes(group: Group): number {
  let sum = GROUP_OVERHEAD_BYTES
  for (const { body } of group) sum += recordBytes(body.length)
  return sum
}

function recordBytes(bodyBytes: number): number {
  return RECORD_OVERHEAD_BYTES + Math.max(SALT_BYTES + bodyBytes, COMMITMENT_BYTES)
}

/** Plaintext of a frame (SPEC § 4.4), in `scratch`, that continues `start`, and where each group ended. */
export function encodeGroups(
  groups: readonly Group[],
  start: Boundary,
  linker: Linker,
  rng: Rng,
  scratch: Scratch,
): { plaintext: Buffer; ends: Appended[] } {
  const size = groups.reduce((sum, group) => sum + groupBytes(group), MAX_COUNT_BYTES)
  const plaintext = scratch.take(size)
  const ends: Appended[] = []
  let { nextSeq, link } = start
  let end = putVarint(plaintext, 0, groups.length)
  for (const group of groups) {
    end = putGroup(plaintext, end, group, { nextSeq, link }, linker, rng)
    link = linker.end()
    ends.push({ firstSeq: nextSeq, seq: nextSeq + group.length - 1, link })
    nextSeq += group.length
  }
  return { plaintext: plaintext.subarray(0, end), ends }
}

function putGroup(
  out: Buffer,
  start: number,
  group: Group,
  from: { readonly nextSeq: number; readonly link: Uint8Array },
  linker: Linker,
  rng: Rng,
): number {
  const salts = rng.bytes(SALT_BYTES * group.length)
  let previousAt = group[0]?.at ?? 0
  let end = out.writeUIntBE(previousAt, putVarint(out, start, group.length), 6)
  linker.begin(from.link, group.length)
  let seq = from.nextSeq
  for (const { at, type, version, body } of group) {
    end = putVarint(out, end, zigzag(at - previousAt))
    end = putVarint(out, end, type)
    end = putVarint(out, end, version)
    end = putVarint(out, end, body.length * 2)
    const salted = end
    end = putSalt(out, end, salts, (seq - from.nextSeq) * SALT_BYTES)
    out.set(body, end)
    end += body.length
    linker.addBodyIn(seq++, at, type, version, out, salted, end)
    previousAt = at
  }
  return end
}

/** What comes behind a stretch of the log: the next record's number, and the link before it. */
interface After {
  readonly nextSeq: number
  readonly link: Uint8Array
}

/**
 * Reads a frame to its end. Its records, with the link after each group, go `into` there: views onto the plaintext. Who
 * only verifies does without them.
 * @returns what comes behind the frame
 * @throws malformed when the plaintext is not exactly one frame's
 */
export function readGroups(
  plaintext: Buffer,
  start: Boundary,
  linker: Linker,
  into: ReadRecord[] | null,
  stretches = false,
): After {
  const fields = new Reader(plaintext)
  let { nextSeq, link } = start
  const groups = fields.varint()
  if (groups === 0) throw new SottoError('malformed', 'a frame without a group')
  for (let i = 0; i < groups; i++) {
    const count = fields.varint()
    const stretch = count === 0 && stretches
    const end = stretch
      ? readStretch(fields, into ?? [], nextSeq)
      : readGroup(fields, plaintext, count, { nextSeq, link }, linker, into)
    nextSeq = end.nextSeq
    link = end.link
  }
  fields.end()
  return { nextSeq, link }
}

/** The same, with the records in a list of their own. */
export function decodeGroups(
  plaintext: Buffer,
  start: Boundary,
  linker: Linker,
): After & { readonly records: ReadRecord[] } {
  const records: ReadRecord[] = []
  const after = readGroups(plaintext, start, linker, records)
  return { ...after, records }
}

function readGroup(
  fields: Reader,
  frame: Buffer,
  count: number,
  from: After,
  linker: Linker,
  into: ReadRecord[] | null,
): After {
  if (count === 0 || count * SHORTEST_RECORD_BYTES > fields.left) {
    throw new SottoError('malformed', 'a group of no or too many records')
  }
  let at = fields.u48()
  linker.begin(from.link, count)
  for (let i = 0; i < count; i++) at = readRecord(fields, frame, from.nextSeq + i, at, linker, into)
  const link = linker.end()
  const last = into?.at(-1)
  if (last instanceof FrameRecord) last.endGroup(link)
  return { nextSeq: from.nextSeq + count, link }
}

/** @returns the record's time, which the next one's is told from */
function readRecord(
  fields: Reader,
  frame: Buffer,
  seq: number,
  previousAt: number,
  linker: Linker,
  into: ReadRecord[] | null,
): number {
  const at = previousAt + unzigzag(fields.varint())
  const type = fields.varint()
  const version = fields.varint()
  const size = fields.varint()
  if (at < 0 || at > MAX_U48 || type > MAX_U16 || version > MAX_U16 || size > 2 * MAX_BODY_BYTES) {
    throw new SottoError('malformed', 'a record out of range')
  }
  const erased = size % 2 === 1
  if (erased && size !== 2 * COMMITMENT_BYTES + 1)
    throw new SottoError('malformed', 'a commitment of another length')
  const length = erased ? COMMITMENT_BYTES : SALT_BYTES + size / 2
  const start = fields.skip(length)
  const end = start + length
  if (erased) linker.addCommitment(seq, at, type, version, frame.subarray(start, end))
  else linker.addBodyIn(seq, at, type, version, frame, start, end)
  into?.push(new FrameRecord(seq, at, type, version, erased, frame, start, end))
  return at
}

/** Byte by byte: for so few a call out of JavaScript costs more than the copy. */
function putSalt(out: Buffer, start: number, salts: Buffer, from: number): number {
  for (let i = 0; i < SALT_BYTES; i++) out[start + i] = salts[from + i] ?? 0
  return start + SALT_BYTES
}

/** Unsigned LEB128 in its shortest form. */
export function putVarint(out: Buffer, start: number, value: number): number {
  let end = start
  let rest = value
  while (rest > 0x7f) {
    out[end++] = (rest % 128) + 128
    rest = Math.floor(rest / 128)
  }
  out[end++] = rest
  return end
}

export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}
