import { isSottoError } from '../foundation/errors.js'
import { type Identity, wipeIdentity } from '../keys/identity.js'
import { daemonAccess } from './access.js'
import { auditFiles } from './audit-files.js'
import { type Check, check } from './doctor/check.js'
import { daemonChecks, noDaemon } from './doctor/daemon-checks.js'
import { dataDirectory, logFiles, loginFile, socketDirectory } from './doctor/file-checks.js'
import { logChecks } from './doctor/log-checks.js'
import { diskSpace, dongles, nodeVersion } from './doctor/machine-checks.js'
import { lodgingOf } from './lodging.js'
import type { ReadingProgress } from './open.js'
import type { ProfilePaths } from './paths.js'
import { openKeyFile } from './unlock.js'

export interface Examination {
  readonly paths: ProfilePaths
  /** Asked only when no daemon runs; null leaves the log unread. */
  readonly passphrase: (() => Promise<string>) | null
  readonly onProgress?: ReadingProgress
}

/** Looks at everything that can be wrong with an installation, and changes nothing. Asks nobody on the network. */
export async function examine(examination: Examination): Promise<Check[]> {
  const { paths } = examination
  const machine = [nodeVersion(), await dongles()]
  const files = [await dataDirectory(paths), await loginFile(paths), await socketDirectory(paths)]
  const state = lodgingOf(paths) === 'none' ? [] : [await diskSpace(paths.directory)]
  const daemon = await daemonAccess(paths)
  if (daemon === null) return [...machine, ...files, ...state, ...(await withoutDaemon(examination))]
  try {
    const log = logChecks(await daemon.call('log.audit', {}), Date.now())
    return [...machine, ...files, ...state, ...log, ...(await daemonChecks(daemon))]
  } finally {
    await daemon.close()
  }
}

async function withoutDaemon({ paths, passphrase, onProgress }: Examination): Promise<Check[]> {
  if (lodgingOf(paths) !== 'ready' || passphrase === null) return [logFiles(paths), ...noDaemon()]
  const identity = await unlocked(paths, passphrase)
  if (!('root' in identity)) return [logFiles(paths), identity, ...noDaemon()]
  const audit = await auditFiles({ paths, identity, since: null, onProgress }).finally(() =>
    wipeIdentity(identity),
  )
  return [...logChecks(audit, Date.now()), ...noDaemon()]
}

/** The keys, or why there are none; a passphrase that nobody can be asked for is no fault of the installation. */
async function unlocked(paths: ProfilePaths, passphrase: () => Promise<string>): Promise<Identity | Check> {
  try {
    return await openKeyFile(paths.login, passphrase)
  } catch (error) {
    if (!isSottoError(error)) throw error
    if (error.code === 'cancelled') throw error
    return check('passphrase', error.code === 'missing-answer', error.message)
  }
}
