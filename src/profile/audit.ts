import { wipeIdentity } from '../keys/identity.js'
import { daemonAccess } from './access.js'
import { auditOf } from './audit-files.js'
import type { ProfilePaths } from './paths.js'
import { mustBeReady } from './lodging.js'
import { openKeyFile } from './unlock.js'

/** Through the daemon if one runs, else on the files alone: a log that does not open can still be audited. */
export async function audit(paths: ProfilePaths, passphrase: () => Promise<string>) {
  mustBeReady(paths)
  const daemon = await daemonAccess(paths)
  if (daemon !== null) return daemon.call('log.audit', {}).finally(() => daemon.close())
  const identity = await openKeyFile(paths.login, passphrase)
  return auditOf(paths, identity).finally(() => wipeIdentity(identity))
}
