import { readFile } from 'node:fs/promises'
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

/** The first line of the file, without its line end. */
async function readPassphrase(path: string): Promise<string> {
  const bytes = await readFile(path).catch(() => {
    throw new SottoError('missing-answer', 'the passphrase file cannot be read')
  })
  if (bytes.length > MAX_FILE_BYTES) throw new SottoError('usage', 'the passphrase file is too long')
  return notEmpty(bytes.toString('utf8').split(/\r?\n/, 1)[0] ?? '')
}

function notEmpty(passphrase: string): string {
  if (passphrase === '') throw new SottoError('missing-answer', 'the passphrase is empty')
  return passphrase
}
