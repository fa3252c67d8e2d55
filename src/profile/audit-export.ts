import { createReadStream } from 'node:fs'
import { toHex } from '../foundation/bytes.js'
import { SottoError } from '../foundation/errors.js'
import { cutLines } from './proof/cut-lines.js'
import { MAX_LINE_BYTES } from './proof/export-line.js'
import { readReceipt } from './proof/receipt.js'
import { verifyExport } from './proof/verify-export.js'

/**
 * Verifies a file that `log export` wrote. Needs nothing of a profile, only the file.
 * @param since the text of a receipt that was kept elsewhere
 * @throws bad-receipt, not-found, file-failed; never for what is wrong with the content
 */
export async function auditExport(file: string, since: string | undefined) {
  const receipt = since === undefined ? null : readReceipt(since)
  const lines = cutLines(readChunks(file), MAX_LINE_BYTES)
  const { ok, genuine, owner, events, disclosed, from, head, problems } = await verifyExport(lines, receipt)
  const [seq, link] = [head.seq, toHex(head.link)]
  return { ok, genuine, events, seq, link, problems, owner, disclosed, from: from.seq }
}

async function* readChunks(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file)) yield chunk as Buffer
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    if (code === 'ENOENT') throw new SottoError('not-found', 'there is no such file', { cause })
    throw new SottoError('file-failed', code, { cause })
  }
}
