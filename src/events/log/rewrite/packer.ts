import { concat } from '../../../foundation/bytes.js'
import { FRAME_BODY_BYTES, FRAME_RECORDS } from '../format.js'
import { type KeptGroup, encodeKeptGroup, varint } from './kept-group.js'

/** The plaintext of a frame to write, and where the log stands behind it. */
export interface PackedFrame {
  readonly plaintext: Buffer
  readonly nextSeq: number
  readonly link: Uint8Array
}

/** Fills frames anew, front to back; what it gives holds none of the bytes it was given. */
export interface Packer {
  /** @returns the frame that ends before this group, when the group found no room in it */
  add(group: KeptGroup): PackedFrame | null
  /** @returns what is left, if anything */
  end(): PackedFrame | null
}

/** Keeps the groups, and erases some of their records (SPEC § 4.6). A frame is full as a commit is (§ 4.4). */
export class GroupPacker implements Packer {
  readonly #erase: ReadonlySet<number>
  #groups: Buffer[] = []
  #records = 0
  #bodyBytes = 0
  #nextSeq = 0
  #link: Uint8Array = new Uint8Array(0)

  constructor(erase: ReadonlySet<number> = new Set()) {
    this.#erase = erase
  }

  add(group: KeptGroup): PackedFrame | null {
    const stays = group.records.filter(({ seq }) => !this.#erase.has(seq))
    const bodyBytes = stays.reduce((sum, { body }) => sum + body.length, 0)
    const fits =
      this.#records + group.records.length <= FRAME_RECORDS && this.#bodyBytes + bodyBytes <= FRAME_BODY_BYTES
    const full = fits ? null : this.end()
    this.#groups.push(encodeKeptGroup(group, this.#erase))
    this.#records += group.records.length
    this.#bodyBytes += bodyBytes
    this.#nextSeq = group.nextSeq
    this.#link = Uint8Array.from(group.link)
    return full
  }

  end(): PackedFrame | null {
    if (this.#groups.length === 0) return null
    const plaintext = concat(varint(this.#groups.length), ...this.#groups)
    for (const group of this.#groups.splice(0)) group.fill(0)
    this.#records = 0
    this.#bodyBytes = 0
    return { plaintext, nextSeq: this.#nextSeq, link: this.#link }
  }
}
