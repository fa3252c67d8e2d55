import { open } from 'node:fs/promises'
import { SottoError } from '../foundation/errors.js'
import { RECEIPT_PREFIX } from './proof/receipt.js'

/** More than a receipt and what editors put around it. */
const MAX_FILE_BYTES = 4096

/** A receipt as it was typed, or the one in the file that was named; white space around it does not count. @throws bad-receipt */
export async function keptReceipt(textOrFile: string): Promise<string> {
  const text = textOrFile.trim()
  if (text.startsWith(RECEIPT_PREFIX)) return text
  const file = await open(textOrFile, 'r').catch((cause: unknown) => {
    throw new SottoError('bad-receipt', 'and no file of that name can be read', { cause })
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES), 0, MAX_FILE_BYTES, 0)
    return buffer.toString('utf8', 0, bytesRead).trim()
  } catch (cause) {
    throw new SottoError('bad-receipt', 'and the file cannot be read', { cause })
  } finally {
    await file.close()
  }
}
