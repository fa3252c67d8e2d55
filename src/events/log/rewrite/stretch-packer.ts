import { concat } from '../../../foundation/bytes.js'
import { FRAME_BODY_BYTES, FRAME_RECORDS, SALT_BYTES } from '../format.js'
import type { LogRecord, ReadRecord } from '../record.js'
import { type KeptGroup, varint } from './kept-group.js'
import type { PackedFrame, Packer } from './packer.js'

const AT_BYTES = 6

/** Turns groups and stretches into stretches of what `keep` keeps, one a frame (SPEC § 4.6, compaction by key). */
export class StretchPacker implements Packer {
  readonly #keep: (record: LogRecord) => boolean
  #kept: Buffer[] = []
  #bodyBytes = 0
  #firstSeq = 0
  #nextSeq = 0
  /** Behind the last record that was kept. */
  #keptUntil = 0
  #link: Uint8Array = new Uint8Array(0)

  constructor(keep: (record: LogRecord) => boolean = () => true) {
    this.#keep = keep
  }

  add(group: KeptGroup): PackedFrame | null {
    const kept = group.records.filter((record) => !record.erased && this.#keep(record))
    const bodyBytes = kept.reduce((sum, { body }) => sum + body.length, 0)
    const fits =
      this.#kept.length + kept.length <= FRAME_RECORDS && this.#bodyBytes + bodyBytes <= FRAME_BODY_BYTES
    const full = fits ? null : this.end()
    if (this.#firstSeq === 0) this.#firstSeq = this.#keptUntil = group.firstSeq
    for (const record of kept) this.#put(record)
    this.#bodyBytes += bodyBytes
    this.#nextSeq = group.nextSeq
    this.#link = Uint8Array.from(group.link)
    return full
  }

  end(): PackedFrame | null {
    if (this.#firstSeq === 0) return null
    const span = this.#nextSeq - this.#firstSeq
    const head = [varint(1), varint(0), varint(span), this.#link, varint(this.#kept.length)]
    const plaintext = concat(...head, ...this.#kept)
    this.#kept = []
    this.#bodyBytes = 0
    this.#firstSeq = 0
    return { plaintext, nextSeq: this.#nextSeq, link: this.#link }
  }

  #put({ seq, at, type, version, kept }: ReadRecord): void {
    const time = Buffer.alloc(AT_BYTES)
    time.writeUIntBE(at, 0, AT_BYTES)
    const length = varint((kept.length - SALT_BYTES) * 2)
    this.#kept.push(concat(varint(seq - this.#keptUntil), time, varint(type), varint(version), length, kept))
    this.#keptUntil = seq + 1
  }
}
