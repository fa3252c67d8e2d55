import { SottoError } from '../foundation/errors.js'

const MAX_TEXT_BYTES = 16 * 1024

/** All of a stream as text, without the line end at its end. @throws too-large, usage (not UTF-8) */
export async function readText(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    const part = Buffer.from(chunk as Uint8Array)
    bytes += part.length
    if (bytes > MAX_TEXT_BYTES + 2) throw new SottoError('too-large', 'a message is up to 16 KiB')
    chunks.push(part)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
    return text.replace(/\r?\n$/, '')
  } catch {
    throw new SottoError('usage', 'the text is not UTF-8')
  }
}
