import { nodeFileSystem } from '../events/file-system/node.js'
import { auditLog } from '../events/log/audit.js'
import { toHex } from '../foundation/bytes.js'
import type { Identity } from '../keys/identity.js'
import type { ProfilePaths } from './paths.js'

/** Reads the log's files only: works on a damaged log, and beside a writer. Never throws for damage. */
export async function auditOf(paths: ProfilePaths, identity: Identity) {
  const { root, address: owner } = identity
  const report = await auditLog({ directory: paths.log, fs: nodeFileSystem, root, owner })
  return { ...report, link: toHex(report.link) }
}
