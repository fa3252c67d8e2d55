/** What may wait to be taken before whoever gives is asked to wait. */
const PATIENT_BYTES = 1 << 20

/** Bytes that come as events and are taken one by one, so that neither side runs ahead of the other for long. */
export class Pieces implements AsyncIterable<Uint8Array> {
  readonly #waiting: Uint8Array[] = []
  #bytes = 0
  #ended: { readonly error: Error | null } | null = null
  #changed: () => void = () => undefined
  #change = this.#nextChange()

  push(piece: Uint8Array): void {
    this.#waiting.push(piece)
    this.#bytes += piece.length
    this.#tell()
  }

  /** After the last piece; with an error, whoever takes is thrown it. */
  end(error: Error | null = null): void {
    this.#ended ??= { error }
    this.#tell()
  }

  /** Resolves when most of what was pushed was taken, or nobody takes any more. */
  async room(): Promise<void> {
    while (this.#bytes > PATIENT_BYTES && this.#ended === null) await this.#change
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#waiting.shift()
        if (piece !== undefined) {
          this.#bytes -= piece.length
          this.#tell()
          yield piece
        } else if (this.#ended === null) await this.#change
        else if (this.#ended.error === null) return
        else throw this.#ended.error
      }
    } finally {
      this.end()
    }
  }

  #tell(): void {
    const changed = this.#changed
    this.#change = this.#nextChange()
    changed()
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => (this.#changed = resolve))
  }
}
