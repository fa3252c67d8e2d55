import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { FactStore } from '../events/store/fact-store.js'
import { nodeFileSystem } from '../events/file-system/node.js'
import { SottoError, isSottoError } from '../foundation/errors.js'
import { type Rng, systemRng } from '../foundation/rng.js'
import type { Identity } from '../keys/identity.js'
import { openVault } from '../net/gate/open-vault.js'
import { type Projections, openProjections } from '../projections/engine.js'
import { systemClock } from './clock.js'
import { fact, selfOf } from './decisions/context.js'
import { clearLeftovers } from './device/swap-log.js'
import type { ProfilePaths } from './paths.js'
import { Profile } from './profile.js'

const BUSY_RETRY_MS = 100
/** Another command holds the profile for as long as it works; longer than this is not a passing command. */
const BUSY_PATIENCE_MS = 3_000

export type ReadingProgress = (progress: { readonly done: number; readonly total: number }) => void

export interface OpenOptions {
  readonly paths: ProfilePaths
  readonly identity: Identity
  readonly rng?: Rng
  /** Of a rebuild of the projections: facts folded so far, facts in the log. */
  readonly onProgress?: ReadingProgress | undefined
}

/**
 * Opens the log, brings the projections up to it and unlocks the keys. Closing the profile closes all of it.
 * @throws profile-busy, log-corrupt, log-unopened
 */
export async function openProfile(options: OpenOptions): Promise<Profile> {
  const { paths, identity, rng = systemRng } = options
  const store = await openStore(options, rng)
  let projections: Projections | null = null
  try {
    projections = await openProjections({
      directory: paths.directory,
      root: identity.root,
      logId: store.logId,
      store,
      rng,
      ...(options.onProgress && { onProgress: options.onProgress }),
    })
    const profile = assemble(options, store, projections, rng)
    if (store.recovered !== null) await profile.append([fact('LogRecovered', { ...store.recovered })])
    return profile
  } catch (error) {
    await projections?.close()
    await store.close()
    throw error
  }
}

/**
 * The same of a disk that takes nothing more: everything is folded in memory, and nothing is kept. Whatever would have to
 * be appended is refused.
 * @throws log-corrupt, log-unopened
 */
export async function openToRead(options: OpenOptions): Promise<Profile> {
  const { paths, identity, rng = systemRng, onProgress } = options
  const { root, address: owner } = identity
  const log = { directory: paths.log, fs: nodeFileSystem, root, owner, rng, readOnly: true }
  const store = await FactStore.open(log)
  try {
    const directory = paths.directory
    const where = { directory, root, logId: store.logId, store, rng, memory: true }
    const projections = await openProjections({ ...where, ...(onProgress && { onProgress }) })
    return assemble(options, store, projections, rng, true)
  } catch (error) {
    await store.close()
    throw error
  }
}

function assemble(
  { paths, identity }: OpenOptions,
  store: FactStore,
  projections: Projections,
  rng: Rng,
  readOnly = false,
): Profile {
  const self = selfOf(projections.view)
  const vault = openVault(identity, self.certificate)
  const clock = systemClock(lastStamp(projections))
  return new Profile({ paths, identity, vault, store, projections, clock, rng, readOnly })
}

/** The newest time stamp in the to-be-sent table or a conversation of ours; a clock set back does not reorder. */
function lastStamp({ view }: Projections): number {
  return Math.max(0, ...view.conversations().map((conversation) => Math.min(conversation.lastAt, Date.now())))
}

/** What an import left behind is removed by the first who holds the lock. */
async function openStore({ paths, identity }: OpenOptions, rng: Rng): Promise<FactStore> {
  const store = await patiently(paths, () =>
    FactStore.open({
      directory: paths.log,
      fs: nodeFileSystem,
      root: identity.root,
      owner: identity.address,
      rng,
      lock: true,
    }),
  )
  await clearLeftovers(paths)
  return store
}

/** Waits for another command to let go of the log's lock, or to put another log in its place. @throws profile-busy */
export async function patiently<T>(paths: ProfilePaths, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + BUSY_PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const isReplaced = isSottoError(error, 'log-missing') && existsSync(paths.oldLog)
      if (!isSottoError(error, 'log-busy') && !isReplaced) throw error
      if (Date.now() > until) throw new SottoError('profile-busy')
      await sleep(BUSY_RETRY_MS)
    }
  }
}
