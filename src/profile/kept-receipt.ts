import { open } from 'node:fs/promises'
import { SottoError } from '../foundation/errors.js'
import { RECEIPT_PREFIX } from './proof/receipt.js'

/** More than what `log head` prints, with --json too, and what people write beside it. */
const MAX_FILE_BYTES = 4096
const RECEIPTS = new RegExp(`${RECEIPT_PREFIX}[A-Za-z0-9_-]*`, 'g')

/** A receipt as it was typed, or the only one in the file that was named. @throws bad-receipt */
export async function keptReceipt(textOrFile: string): Promise<string> {
  const text = textOrFile.trim()
  if (text.startsWith(RECEIPT_PREFIX)) return text
  const found = (await beginningOf(textOrFile)).match(RECEIPTS) ?? []
  const [receipt] = found
  if (receipt === undefined || found.length > 1) {
    throw new SottoError('bad-receipt', `there are ${found.length} in the file`)
  }
  return receipt
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new SottoError('bad-receipt', 'and no file of that name can be read', { cause })
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES), 0, MAX_FILE_BYTES, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } catch (cause) {
    throw new SottoError('bad-receipt', 'and the file cannot be read', { cause })
  } finally {
    await file.close()
  }
}
