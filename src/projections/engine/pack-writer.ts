const FIRST_BYTES = 16 << 10
/** UTF-8 of a UTF-16 unit. */
const BYTES_A_UNIT = 3
/** What stands before a value at most. */
const HEAD_BYTES = 9
/** Below that, copying one by one is cheaper than a call out of JavaScript. */
const FEW = 64

/**
 * msgpack, a value at a time, for tables of very many rows: where it is known what comes next, and nothing is put into arrays
 * only to be packed, it costs a third of what `pack` does. The buffer grows and is used again.
 */
export class PackWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #at = 0

  /** Begins anew with `u16 length ‖ name`, which is not msgpack yet: the head of an entry. */
  begin(name: string): void {
    this.#at = 2
    this.#reserve(name.length * BYTES_A_UNIT)
    this.#put(name)
    this.#bytes.writeUInt16BE(this.#at - 2)
  }

  /** A copy of what was written since. */
  end(): Buffer {
    const out = Buffer.allocUnsafe(this.#at)
    this.#bytes.copy(out, 0, 0, this.#at)
    return out
  }

  /** The next so many values make it up. */
  array(length: number): void {
    this.#reserve(HEAD_BYTES)
    if (length < 0x10) this.#byte(0x90 | length)
    else this.#sized(0xdc, length)
  }

  text(text: string): void {
    this.#reserve(text.length * BYTES_A_UNIT + HEAD_BYTES)
    const start = this.#at
    this.#textHead(text.length)
    const from = this.#at
    this.#put(text)
    const length = this.#at - from
    if (length === text.length) return
    // Other letters than ASCII take more bytes, and their number perhaps another head.
    const bytes = Buffer.from(this.#bytes.subarray(from, this.#at))
    this.#at = start
    this.#textHead(length)
    this.#bytes.set(bytes, this.#at)
    this.#at += length
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length + HEAD_BYTES)
    if (value.length < 0x100) {
      this.#byte(0xc4)
      this.#byte(value.length)
    } else this.#sized(0xc5, value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  number(value: number): void {
    this.#reserve(HEAD_BYTES)
    if (value >>> 0 !== value) {
      this.#byte(0xcb)
      this.#at = this.#bytes.writeDoubleBE(value, this.#at)
    } else if (value < 0x80) this.#byte(value)
    else {
      this.#byte(0xce)
      this.#at = this.#bytes.writeUInt32BE(value, this.#at)
    }
  }

  boolean(value: boolean): void {
    this.#reserve(1)
    this.#byte(value ? 0xc3 : 0xc2)
  }

  nothing(): void {
    this.#reserve(1)
    this.#byte(0xc0)
  }

  #textHead(length: number): void {
    if (length < 0x20) this.#byte(0xa0 | length)
    else if (length < 0x100) {
      this.#byte(0xd9)
      this.#byte(length)
    } else this.#sized(0xda, length)
  }

  /** `tag ‖ u16 length`, or the tag after it and `u32 length`, as msgpack orders them. */
  #sized(tag: number, length: number): void {
    this.#byte(length < 0x10000 ? tag : tag + 1)
    this.#at =
      length < 0x10000
        ? this.#bytes.writeUInt16BE(length, this.#at)
        : this.#bytes.writeUInt32BE(length, this.#at)
  }

  #byte(value: number): void {
    this.#bytes[this.#at++] = value
  }

  /** In UTF-8. */
  #put(text: string): void {
    if (text.length > FEW) {
      this.#at += this.#bytes.write(text, this.#at)
      return
    }
    const bytes = this.#bytes
    const start = this.#at
    for (let n = 0; n < text.length; n++) {
      const unit = text.charCodeAt(n)
      if (unit >= 0x80) {
        this.#at = start + bytes.write(text, start)
        return
      }
      bytes[start + n] = unit
    }
    this.#at = start + text.length
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(2 * (this.#at + more))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}
