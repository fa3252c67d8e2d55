import { SottoError } from '../../foundation/errors.js'

/** SPEC § 9. */
export const MAX_LINE_BYTES = 1024 * 1024
const LINE_FEED = 0x0a

/** Cuts a byte stream into lines; keeps at most one line in memory. @throws too-large */
export class LineCutter {
  #kept: Buffer[] = []
  #keptBytes = 0

  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end))
      lines.push(Buffer.concat(this.#kept).toString('utf8'))
      this.#kept = []
      this.#keptBytes = 0
      from = end + 1
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
    return lines
  }

  #keep(part: Buffer): void {
    this.#keptBytes += part.length
    if (this.#keptBytes > MAX_LINE_BYTES) throw new SottoError('too-large', 'a line is up to 1 MiB')
    this.#kept.push(part)
  }
}

/** @throws too-large */
export function lineOf(value: unknown): string {
  const line = `${JSON.stringify(value)}\n`
  if (Buffer.byteLength(line) > MAX_LINE_BYTES + 1) throw new SottoError('too-large', 'a line is up to 1 MiB')
  return line
}
