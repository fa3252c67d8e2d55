import { wipeIdentity } from '../keys/identity.js'
import { daemonAccess } from './access.js'
import { auditFiles } from './audit-files.js'
import { mustBeReady } from './lodging.js'
import type { ReadingProgress } from './open.js'
import type { ProfilePaths } from './paths.js'
import type { AuditAnswer } from './proof/audit-profile.js'
import { readReceipt } from './proof/receipt.js'
import { openKeyFile } from './unlock.js'

export interface AuditRequest {
  readonly paths: ProfilePaths
  /** Asked only when no daemon runs. */
  passphrase(): Promise<string>
  /** The text of a receipt that was kept elsewhere. */
  readonly since?: string | undefined
  /** Of the replay that the projections are compared with. */
  readonly onProgress?: ReadingProgress | undefined
}

/**
 * Through the daemon if one runs, else on the files alone: a log that does not open can still be audited.
 * @throws bad-receipt, no-profile, logged-out, wrong-passphrase; never for damage
 */
export async function audit(request: AuditRequest): Promise<AuditAnswer> {
  const { paths, since } = request
  mustBeReady(paths)
  const receipt = since === undefined ? null : readReceipt(since)
  const daemon = await daemonAccess(paths)
  if (daemon !== null) {
    const params = since === undefined ? {} : { since }
    return daemon.call('log.audit', params).finally(() => daemon.close())
  }
  const identity = await openKeyFile(paths.login, () => request.passphrase())
  return auditFiles({ paths, identity, since: receipt, onProgress: request.onProgress }).finally(() =>
    wipeIdentity(identity),
  )
}
