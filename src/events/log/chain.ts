import { hash as digest } from 'node:crypto'
import { utf8 } from '../../foundation/bytes.js'
import { hash } from '../../foundation/crypto.js'
import { COMMITMENT_BYTES, LINK_BYTES, META_BYTES, SALT_BYTES } from './format.js'

const BODY_LABEL = utf8('sotto/body/1')
const LINK_LABEL = utf8('sotto/link/1')
const U32 = 2 ** 32
const FIRST_SCRATCH_BYTES = 4096

/** The link before the first group (SPEC § 4.1). `owner` is 32 bytes. */
export function genesis(logId: Uint8Array, owner: Uint8Array): Buffer {
  return hash('sotto/genesis/1', logId, owner)
}

/**
 * Computes commitments and links. One-shot digests over scratch buffers that grow and stay: per record this is most of
 * the engine's work, and a digest told as latin1 (`binary`) text costs half of one told as a buffer.
 */
export class Linker {
  #body = scratchWith(BODY_LABEL, FIRST_SCRATCH_BYTES)
  #group = scratchWith(LINK_LABEL, FIRST_SCRATCH_BYTES)
  #end = 0

  /** Starts a group of `count` records behind `previous`. */
  begin(previous: Uint8Array, count: number): void {
    const needed = LINK_LABEL.length + LINK_BYTES + count * (META_BYTES + COMMITMENT_BYTES)
    if (needed > this.#group.length) this.#group = scratchWith(LINK_LABEL, 2 * needed)
    this.#group.set(previous, LINK_LABEL.length)
    this.#end = LINK_LABEL.length + LINK_BYTES
  }

  /** The next record, by its salt (16 bytes) and body as they stand together. */
  addBody(seq: number, at: number, type: number, version: number, saltAndBody: Uint8Array): void {
    this.addBodyIn(seq, at, type, version, saltAndBody, 0, saltAndBody.length)
  }

  /** The same where they stand in a frame. */
  addBodyIn(
    seq: number,
    at: number,
    type: number,
    version: number,
    frame: Uint8Array,
    start: number,
    end: number,
  ): void {
    const length = BODY_LABEL.length + end - start
    if (length > this.#body.length) this.#body = scratchWith(BODY_LABEL, 2 * length)
    this.#body.set(viewOf(frame, start, end - start), BODY_LABEL.length)
    this.#meta(seq, at, type, version)
    this.#commitment(digest('sha256', viewOf(this.#body, 0, length), 'binary'))
  }

  /** The next record, when only its commitment (32 bytes) is left. */
  addCommitment(seq: number, at: number, type: number, version: number, commitment: Uint8Array): void {
    this.#meta(seq, at, type, version)
    this.#group.set(commitment, this.#end)
    this.#end += COMMITMENT_BYTES
  }

  /** The link after the group. */
  end(): Buffer {
    return digest('sha256', this.#group.subarray(0, this.#end), 'buffer')
  }

  #meta(seq: number, at: number, type: number, version: number): void {
    const group = this.#group
    const end = this.#end
    putU64(group, end, seq)
    putU64(group, end + 8, at)
    putU16(group, end + 16, type)
    putU16(group, end + 18, version)
    this.#end = end + META_BYTES
  }

  #commitment(latin1: string): void {
    const group = this.#group
    const end = this.#end
    for (let i = 0; i < COMMITMENT_BYTES; i++) group[end + i] = latin1.charCodeAt(i)
    this.#end = end + COMMITMENT_BYTES
  }
}

/** Byte by byte, as below: a call of Buffer's own costs more than so few bytes. Typed arrays take a number modulo 256. */
function putU64(out: Uint8Array, at: number, value: number): void {
  putU32(out, at, value / U32)
  putU32(out, at + 4, value)
}

function putU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value >>> 0
}

function putU16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8
  out[at + 1] = value
}

/** A plain view: half the price of `subarray`. */
function viewOf({ buffer, byteOffset }: Uint8Array, start: number, length: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, length)
}

function scratchWith(label: Uint8Array, bytes: number): Buffer {
  const scratch = Buffer.alloc(Math.max(bytes, label.length + SALT_BYTES))
  scratch.set(label)
  return scratch
}
