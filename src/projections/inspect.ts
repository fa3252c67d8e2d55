import { join } from 'node:path'
import { equalBytes } from '../foundation/bytes.js'
import type { ProjectionsOptions, ReplayedDigest } from './engine.js'
import { diskBacking } from './engine/backing.js'
import { isDamage } from './engine/damage.js'
import type { Digest } from './engine/digest.js'
import { build, discarded, isOnTheChain, load } from './engine/opening.js'
import type { Workshop } from './engine/opening.js'
import { projectionKeys } from './engine/sealing.js'
import { SNAPSHOT_POLICY } from './engine/snapshots.js'
import { FOLDS } from './folds.js'

/** What lies on the disk, as it lies there. */
export interface Inspection {
  /** The last fact in it. */
  readonly seq: number
  /** False: it was made from another history than the log holds, or from a longer one; nothing was compared then. */
  readonly onTheChain: boolean
  /** Each compared with a fresh replay of the log up to `seq`. */
  readonly projections: readonly ReplayedDigest[]
}

type InspectOptions = Pick<
  ProjectionsOptions,
  'directory' | 'root' | 'logId' | 'store' | 'rng' | 'onProgress'
>

/**
 * Looks at the stored projections without mending them: an opening would put right in silence what an audit has to tell.
 * Only a scratch store beside them is written, and removed.
 * @returns null when there are none, or such as the next opening makes anew anyhow
 * @throws profile-busy when another process has them open, and whatever reading the log throws
 */
export async function inspectProjections(options: InspectOptions): Promise<Inspection | null> {
  const shop = workshop(options)
  const current = await shop.backing.current()
  const store = current === null ? null : await load(shop, current)
  if (store === null) return null
  try {
    const { seq } = store.checkpoint
    if (store.outdated) return null
    if (!(await isOnTheChain(shop.source, store))) return { seq, onTheChain: false, projections: [] }
    // Rows that do not open are equal to nothing.
    const stored = await store.digests().catch(noneIfDamaged)
    const fresh = await build(shop, seq)
    const digests = await fresh.store.digests().finally(() => discarded(shop, fresh))
    const projections = digests.map((digest) => {
      const same = stored.find(({ name }) => name === digest.name)
      const equal = same !== undefined && same.rows === digest.rows && equalBytes(same.hash, digest.hash)
      return { ...digest, equal }
    })
    return { seq, onTheChain: true, projections }
  } finally {
    await store.close()
  }
}

function workshop({ directory, root, logId, store, rng, onProgress }: InspectOptions): Workshop {
  return {
    backing: diskBacking(join(directory, 'projections')),
    source: store,
    keys: projectionKeys(root, logId),
    folds: FOLDS,
    rng,
    snapshots: SNAPSHOT_POLICY,
    onProgress,
    stop: new AbortController().signal,
  }
}

function noneIfDamaged(error: unknown): Digest[] {
  if (isDamage(error)) return []
  throw error
}
