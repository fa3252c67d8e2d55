import { existsSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { checkBox } from '../keys/container.js'
import { readKeyFile } from '../keys/key-file.js'
import { isSottoError } from '../foundation/errors.js'
import { daemonAccess } from './access.js'
import type { ProfilePaths } from './paths.js'
import { isPrivate } from './rpc/socket-directory.js'
import { lodgingOf } from './lodging.js'

const NODE_FLOOR = [20, 19] as const
const OTHERS = 0o077

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** What can be looked at without a passphrase; more when a daemon runs. */
export async function examine(paths: ProfilePaths): Promise<Check[]> {
  const checks = [nodeVersion(), await dataDirectory(paths), await loginFile(paths), logFiles(paths)]
  return [...checks, await socketDirectory(paths), ...(await viaDaemon(paths))]
}

function nodeVersion(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1])
  return { name: 'node', ok, detail: `${process.versions.node}; ${NODE_FLOOR.join('.')} or newer is needed` }
}

async function dataDirectory({ directory }: ProfilePaths): Promise<Check> {
  const there = existsSync(directory)
  const ok = there && (await isPrivate(directory))
  const detail = ok
    ? 'yours alone'
    : there
      ? 'others can look into it; chmod 700 it'
      : 'there is none; run sotto init'
  return { name: 'data-directory', ok, detail }
}

async function loginFile(paths: ProfilePaths): Promise<Check> {
  const name = 'login-file'
  if (lodgingOf(paths) !== 'ready') return { name, ok: false, detail: 'there is none; run sotto login' }
  const open = ((await lstat(paths.login)).mode & OTHERS) !== 0
  if (open) return { name, ok: false, detail: 'others can read it; chmod 600 it' }
  try {
    checkBox(await readKeyFile(paths.login))
    return { name, ok: true, detail: 'whole, and yours alone' }
  } catch (error) {
    return { name, ok: false, detail: isSottoError(error) ? error.code : 'cannot be read' }
  }
}

function logFiles({ log }: ProfilePaths): Check {
  const missing = ['keyring', 'manifest'].filter((file) => !existsSync(`${log}/${file}`))
  const ok = missing.length === 0
  return {
    name: 'log-files',
    ok,
    detail: ok ? 'there; sotto log audit reads them' : `${missing.join(', ')} missing`,
  }
}

async function socketDirectory({ socketDirectory: directory }: ProfilePaths): Promise<Check> {
  const ok = !existsSync(directory) || (await isPrivate(directory))
  return { name: 'socket-directory', ok, detail: ok ? 'yours alone' : 'others can look into it' }
}

async function viaDaemon(paths: ProfilePaths): Promise<Check[]> {
  const daemon = await daemonAccess(paths)
  if (daemon === null) return [{ name: 'daemon', ok: true, detail: 'does not run' }]
  try {
    const { listening, trackers } = await daemon.call('status', {})
    const answered = trackers.filter((tracker) => tracker.ok === true).length
    return [
      { name: 'daemon', ok: true, detail: 'runs' },
      {
        name: 'listening',
        ok: listening !== null,
        detail: listening ?? 'nobody can call; see daemon start --listen',
      },
      { name: 'trackers', ok: answered > 0, detail: `${answered} of ${trackers.length} answer` },
    ]
  } finally {
    await daemon.close()
  }
}
