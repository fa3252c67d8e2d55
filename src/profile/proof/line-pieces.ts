/** Puts lines together into pieces of about so many bytes, none much larger: long ones are cut. */
export async function* linePieces(lines: AsyncIterable<string>, pieceBytes: number): AsyncGenerator<Buffer> {
  let kept: Buffer[] = []
  let length = 0
  for await (const line of lines) {
    const bytes = Buffer.from(`${line}\n`)
    kept.push(bytes)
    length += bytes.length
    if (length < pieceBytes) continue
    yield* cut(Buffer.concat(kept), pieceBytes)
    kept = []
    length = 0
  }
  if (length > 0) yield* cut(Buffer.concat(kept), pieceBytes)
}

function* cut(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
