import { SottoError } from './errors.js'

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const MAX_VARINT_BYTES = 8

/** Reads untrusted bytes once, front to back; every shortfall is `malformed`, never a crash. Slices are views. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offset(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  bytes(length: number): Buffer {
    if (length < 0 || length > this.left) throw new SottoError('malformed', `cut short at ${this.#at}`)
    const slice = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return slice
  }

  /** Steps over bytes that are looked at in place. @returns the offset where they begin */
  skip(length: number): number {
    if (length < 0 || length > this.left) throw new SottoError('malformed', `cut short at ${this.#at}`)
    this.#at += length
    return this.#at - length
  }

  u8(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new SottoError('malformed', `cut short at ${this.#at}`)
    this.#at += 1
    return byte
  }
  u16(): number {
    return this.bytes(2).readUInt16BE()
  }
  u24(): number {
    return this.bytes(3).readUIntBE(0, 3)
  }
  u32(): number {
    return this.bytes(4).readUInt32BE()
  }
  u48(): number {
    return this.bytes(6).readUIntBE(0, 6)
  }
  /** @throws malformed above 2^53 − 1 */
  u64(): number {
    const value = this.bytes(8).readBigUInt64BE()
    if (value > MAX_SAFE) throw new SottoError('malformed', 'integer out of range')
    return Number(value)
  }

  /** Unsigned LEB128 in its shortest form. */
  varint(): number {
    const first = this.#bytes[this.#at]
    if (first !== undefined && first < 0x80) {
      this.#at += 1
      return first
    }
    let value = 0
    let scale = 1
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if ((byte === 0 && i > 0) || value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    throw new SottoError('malformed', 'varint')
  }

  lp(max: number): Buffer {
    return this.#bounded(this.u32(), max)
  }
  lp16(max = 0xffff): Buffer {
    return this.#bounded(this.u16(), max)
  }
  lp8(): Buffer {
    return this.bytes(this.u8())
  }
  #bounded(length: number, max: number): Buffer {
    if (length > max) throw new SottoError('malformed', `field of ${length} bytes, at most ${max}`)
    return this.bytes(length)
  }

  rest(): Buffer {
    return this.bytes(this.left)
  }

  /** Call last: trailing bytes are an error. */
  end(): void {
    if (this.left !== 0) throw new SottoError('malformed', `${this.left} bytes too many`)
  }
  /** Call last where the format pads: everything left must be zero. */
  zeros(): void {
    if (this.rest().some((byte) => byte !== 0)) throw new SottoError('malformed', 'padding is not zero')
  }
}
