import { createReadStream } from 'node:fs'
import { isMissing } from '../../events/file-system/node.js'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import { wipeIdentity } from '../../keys/identity.js'
import { mustNotRun } from '../daemon-process.js'
import { mustBeReady } from '../lodging.js'
import type { ReadingProgress } from '../open.js'
import type { ProfilePaths } from '../paths.js'
import { openKeyFile } from '../unlock.js'
import { type LogState, takeOver } from './take-over.js'

const PIECE_BYTES = 256 * 1024

export interface ImportOptions {
  readonly paths: ProfilePaths
  readonly file: string
  passphrase(): Promise<string>
  readonly onProgress?: ReadingProgress
}

/** Takes over the log in a file. @throws not-found, file-failed, and as takeOver */
export async function importBundle(options: ImportOptions): Promise<LogState> {
  const { paths, file, onProgress } = options
  mustBeReady(paths)
  await mustNotRun(paths)
  const identity = await openKeyFile(paths.login, () => options.passphrase())
  const bundle = piecesOf(file)
  try {
    return await takeOver({ paths, identity, bundle, ...(onProgress && { onProgress }) })
  } finally {
    await bundle.return(undefined)
    wipeIdentity(identity)
  }
}

async function* piecesOf(file: string): AsyncGenerator<Uint8Array, void> {
  const stream = createReadStream(file, { highWaterMark: PIECE_BYTES })
  try {
    for await (const piece of stream) yield piece as Buffer
  } catch (cause) {
    if (isSottoError(cause)) throw cause
    if (isMissing(cause)) throw new SottoError('not-found', 'there is no such file', { cause })
    throw new SottoError('file-failed', file, { cause })
  } finally {
    stream.destroy()
  }
}
