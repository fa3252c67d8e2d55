import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { SottoError } from '../foundation/errors.js'

/** Where one profile lives (SPEC § 1). */
export interface ProfilePaths {
  readonly directory: string
  readonly login: string
  readonly log: string
  /** A log that another device sent, until it is whole; the log it takes the place of, until that is gone. */
  readonly newLog: string
  readonly oldLog: string
  /** This device's ID (SPEC § 2.5). */
  readonly device: string
  readonly projections: string
  readonly daemonLog: string
  /** Directory of the local sockets of this user, 0700. */
  readonly socketDirectory: string
  readonly socket: string
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const SOCKET_NAME_DIGITS = 16

/** @throws usage for a name that could leave the data directory */
export function profilePaths(dataDirectory: string, name: string): ProfilePaths {
  if (!NAME.test(name))
    throw new SottoError('usage', 'a profile name is letters, digits, dot, dash, underscore')
  return pathsOf(resolve(dataDirectory, name))
}

/** The same for a directory that is known already. */
export function pathsOf(directory: string): ProfilePaths {
  const socketDirectory = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `sotto-${process.getuid?.() ?? 0}`)
  const digest = createHash('sha256').update(directory).digest('hex')
  return {
    directory,
    login: join(directory, 'login.sotto'),
    log: join(directory, 'log'),
    newLog: join(directory, 'log.new'),
    oldLog: join(directory, 'log.old'),
    device: join(directory, 'device'),
    projections: join(directory, 'projections'),
    daemonLog: join(directory, 'daemon.log'),
    socketDirectory,
    // Short and hashed: paths of Unix sockets over 108 bytes are silently cut.
    socket: join(socketDirectory, `${digest.slice(0, SOCKET_NAME_DIGITS)}.sock`),
  }
}
