import { existsSync } from 'node:fs'
import type { Unlock } from '../events/file-system/file-system.js'
import { nodeFileSystem } from '../events/file-system/node.js'
import { type LogPlace, takeLock } from '../events/log/open.js'
import { FactStore } from '../events/store/fact-store.js'
import { isSottoError } from '../foundation/errors.js'
import { isDiskFull } from '../foundation/system-trouble.js'
import { systemRng } from '../foundation/rng.js'
import type { Identity } from '../keys/identity.js'
import { inspectProjections } from '../projections/inspect.js'
import type { ReadingProgress } from './open.js'
import type { ProfilePaths } from './paths.js'
import type { Profile } from './profile.js'
import { type AuditAnswer, type Comparison, auditProfile } from './proof/audit-profile.js'
import type { SignedReceipt } from './proof/receipt.js'

export interface AuditedFiles {
  readonly paths: ProfilePaths
  readonly identity: Identity
  /** A receipt that was kept elsewhere. */
  readonly since: SignedReceipt | null
  /** Of the replay that the projections are compared with. */
  readonly onProgress?: ReadingProgress | undefined
}

/** Of a profile that is open in this process. */
export function auditOpen(profile: Profile, since: SignedReceipt | null): Promise<AuditAnswer> {
  const { paths, identity, projections } = profile
  const compare = async () => ({ onTheChain: true, projections: await projections.replayCheck() })
  return auditProfile({ place: placeOf(paths, identity), since, erasing: true, compare })
}

/** Of a profile that need not open. Projections are looked at only when nobody else has the log. */
export function auditFiles({ paths, identity, since, onProgress }: AuditedFiles): Promise<AuditAnswer> {
  const place = placeOf(paths, identity)
  return auditProfile({ place, since, compare: () => compareStored(paths, place, onProgress) })
}

function placeOf({ log }: ProfilePaths, { root, address }: Identity): LogPlace {
  return { directory: log, fs: nodeFileSystem, root, owner: address }
}

async function compareStored(
  paths: ProfilePaths,
  place: LogPlace,
  onProgress: ReadingProgress | undefined,
): Promise<Comparison | null> {
  if (!existsSync(paths.projections)) return null
  try {
    const unlock = await lockOrNull(place)
    if (unlock === null) return null
    return await withReader(place, (store) =>
      inspectProjections({
        directory: paths.directory,
        root: place.root,
        logId: store.logId,
        store,
        rng: systemRng,
        ...(onProgress && { onProgress }),
      }),
    ).finally(unlock)
  } catch (error) {
    if (isSottoError(error, 'profile-busy') || isDiskFull(error)) return null
    throw error
  }
}

/** Somebody else has it, or it cannot be had at all: a copy on a medium that is read-only can be audited too. */
async function lockOrNull(place: LogPlace): Promise<Unlock | null> {
  try {
    return await takeLock(place)
  } catch (error) {
    if (isSottoError(error)) return null
    throw error
  }
}

/** Reads only, so that what an opening would mend is left as it is. */
async function withReader<T>(place: LogPlace, work: (store: FactStore) => Promise<T>): Promise<T> {
  const store = await FactStore.open({ ...place, rng: systemRng, readOnly: true })
  return work(store).finally(() => store.close())
}
