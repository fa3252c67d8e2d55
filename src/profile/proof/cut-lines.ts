const LINE_FEED = 0x0a

/** One line of a file. */
export interface Line {
  /** Bytes from the file's start. */
  readonly offset: number
  /** Without its line feed; of a line that is too long its beginning. */
  readonly bytes: Buffer
  /** It is longer than allowed, or the file ends in it. */
  readonly broken: boolean
}

/** Cuts bytes into lines, keeping at most one of `max` bytes in memory. After a line that is too long it ends. */
export async function* cutLines(chunks: AsyncIterable<Uint8Array>, max: number): AsyncGenerator<Line> {
  let kept: Uint8Array[] = []
  let length = 0
  let offset = 0
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length;) {
      const feed = chunk.indexOf(LINE_FEED, from)
      const part = chunk.subarray(from, feed === -1 ? undefined : feed)
      kept.push(part)
      length += part.length
      if (length > max) {
        yield { offset, bytes: Buffer.concat(kept), broken: true }
        return
      }
      if (feed === -1) break
      yield { offset, bytes: Buffer.concat(kept), broken: false }
      offset += length + 1
      kept = []
      length = 0
      from = feed + 1
    }
  }
  if (length > 0) yield { offset, bytes: Buffer.concat(kept), broken: true }
}
