/** Bytes that come in pieces of any size, taken in pieces of the right one. Memory: what is asked for and one piece. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>
  #held: Uint8Array[] = []
  #heldBytes = 0
  #over = false

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** @returns `length` bytes, or null where they end before */
  async take(length: number): Promise<Buffer | null> {
    while (this.#heldBytes < length) if (!(await this.#fetch())) return null
    const all = this.#held.length === 1 ? asBuffer(this.#held[0]) : Buffer.concat(this.#held)
    this.#held = length === all.length ? [] : [all.subarray(length)]
    this.#heldBytes = all.length - length
    return all.subarray(0, length)
  }

  async atEnd(): Promise<boolean> {
    while (this.#heldBytes === 0) if (!(await this.#fetch())) return true
    return false
  }

  /** Tells whoever makes the bytes that no more are wanted. Idempotent. */
  async close(): Promise<void> {
    this.#over = true
    await this.#pieces.return?.()
  }

  async #fetch(): Promise<boolean> {
    if (this.#over) return false
    const next = await this.#pieces.next()
    if (next.done === true) {
      this.#over = true
      return false
    }
    this.#held.push(next.value)
    this.#heldBytes += next.value.length
    return true
  }
}

function asBuffer(bytes: Uint8Array | undefined): Buffer {
  if (bytes === undefined) return Buffer.alloc(0)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
