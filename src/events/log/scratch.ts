/** A buffer that is used again and again and grows to what was asked for: large fresh ones cost a page fault each 4 KiB. */
export class Scratch {
  #buffer: Buffer = Buffer.alloc(0)

  /** `length` bytes, with whatever stood there before; valid until the next call. */
  take(length: number): Buffer {
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(length)
    return this.#buffer.subarray(0, length)
  }
}
