import { open } from 'node:fs/promises'
import { SottoError } from '../foundation/errors.js'
import { type Asking, askSecret } from './ask.js'

const MAX_FILE_BYTES = 4096
const FILE_VARIABLE = 'SOTTO_PASSPHRASE_FILE'

/** Where passphrases come from; never from argv. */
export interface PassphraseSources {
  readonly file: string | undefined
  readonly newFile: string | undefined
}

/** The passphrase that opens what is there: the flag's file, the variable's file, the terminal. */
export async function knownPassphrase(sources: PassphraseSources, asking: Asking): Promise<string> {
  const file = sources.file ?? process.env[FILE_VARIABLE]
  if (file !== undefined) return readPassphrase(file)
  return notEmpty(await askSecret(asking, 'passphrase', '--passphrase-file'))
}

/**
 * The passphrase that seals something new: `--new-passphrase-file`, then what opens the old (the same passphrase
 * goes on), then the terminal, asked twice.
 */
export async function newPassphrase(sources: PassphraseSources, asking: Asking): Promise<string> {
  const file = sources.newFile ?? sources.file ?? process.env[FILE_VARIABLE]
  if (file !== undefined) return readPassphrase(file)
  const first = notEmpty(await askSecret(asking, 'new passphrase', '--new-passphrase-file'))
  const second = await askSecret(asking, 'the same again', '--new-passphrase-file')
  if (first !== second) throw new SottoError('usage', 'the two passphrases differ')
  return first
}

/** The first line of the file, without its line end. @throws passphrase-file */
async function readPassphrase(path: string): Promise<string> {
  const bytes = await beginningOf(path).catch((cause: unknown) => {
    throw new SottoError('passphrase-file', whyUnread(cause), { cause })
  })
  if (bytes.length > MAX_FILE_BYTES) throw new SottoError('passphrase-file', 'it is too long')
  const [passphrase = ''] = bytes.toString('utf8').split(/\r?\n/, 1)
  if (passphrase === '') throw new SottoError('passphrase-file', 'its first line is empty')
  return passphrase
}

/** One byte more than is allowed, of a device or a pipe without end too. */
async function beginningOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null)
      length += bytesRead
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } finally {
    await file.close()
  }
}

/** Its name was typed, and what was typed is not repeated. */
function whyUnread(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  return code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
}

function notEmpty(passphrase: string): string {
  if (passphrase === '') throw new SottoError('usage', 'the passphrase is empty')
  return passphrase
}
