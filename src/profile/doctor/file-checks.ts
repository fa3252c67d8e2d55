import { existsSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSottoError } from '../../foundation/errors.js'
import { checkBox } from '../../keys/container.js'
import { readKeyFile } from '../../keys/key-file.js'
import { lodgingOf } from '../lodging.js'
import type { ProfilePaths } from '../paths.js'
import { isPrivate } from '../rpc/socket-directory.js'
import { type Check, check } from './check.js'

const OTHERS = 0o077

export async function dataDirectory({ directory }: ProfilePaths): Promise<Check> {
  const name = 'data-directory'
  if (!existsSync(directory)) return check(name, false, 'there is none; run sotto init')
  if (!(await isPrivate(directory))) {
    return check(name, false, 'it is not yours, or others can look into it; chown it, and chmod 700')
  }
  const strange = await notOurs(directory)
  return strange.length === 0
    ? check(name, true, 'yours alone')
    : check(name, false, `not yours in it: ${strange.join(', ')}`)
}

/** Who once ran as another user finds files here that cannot be written. */
async function notOurs(directory: string): Promise<string[]> {
  const names = await readdir(directory)
  const owners = await Promise.all(
    names.map((name) =>
      lstat(join(directory, name)).then(
        ({ uid }) => uid,
        () => null,
      ),
    ),
  )
  return names.filter((_, i) => owners[i] !== null && owners[i] !== process.getuid?.())
}

export async function loginFile(paths: ProfilePaths): Promise<Check> {
  const name = 'login-file'
  if (lodgingOf(paths) !== 'ready') return check(name, false, 'there is none; run sotto login')
  if (((await lstat(paths.login)).mode & OTHERS) !== 0) {
    return check(name, false, 'others can read it; chmod 600 it')
  }
  try {
    checkBox(await readKeyFile(paths.login))
    return check(name, true, 'whole, and yours alone')
  } catch (error) {
    return check(name, false, isSottoError(error) ? error.code : 'cannot be read')
  }
}

export async function socketDirectory({ socketDirectory: directory }: ProfilePaths): Promise<Check> {
  const ok = !existsSync(directory) || (await isPrivate(directory))
  return check('socket-directory', ok, ok ? 'yours alone' : 'others can look into it')
}

/** All that can be told of a log that was not opened. */
export function logFiles({ log }: ProfilePaths): Check {
  const missing = ['keyring', 'manifest'].filter((file) => !existsSync(join(log, file)))
  const detail =
    missing.length === 0 ? 'there; not read without the passphrase' : `${missing.join(', ')} missing`
  return check('log', missing.length === 0, detail)
}
