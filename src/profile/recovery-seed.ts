import { nodeFileSystem } from '../events/file-system/node.js'
import type { LogPlace } from '../events/log/open.js'
import { walkRecords } from '../events/log/walk-records.js'
import { FactStore } from '../events/store/fact-store.js'
import { decodeFact } from '../events/vocabulary/codec.js'
import { REGISTRY } from '../events/vocabulary/registry.js'
import type { Rng } from '../foundation/rng.js'
import { sameSecret } from '../foundation/crypto.js'
import type { Identity } from '../keys/identity.js'
import { recoveryCommitmentOf } from '../keys/identity-secrets.js'
import type { ProfilePaths } from './paths.js'

/** Of a log that opens, at the place that what is shown tells; null when another backup has erased it meanwhile. */
export async function keptRecoverySeed(
  paths: ProfilePaths,
  identity: Identity,
  seq: number,
  rng: Rng,
): Promise<Uint8Array | null> {
  const store = await FactStore.open({ ...placeOf(paths, identity), rng, readOnly: true })
  try {
    for await (const { fact } of store.read(seq))
      return fact.type === 'RecoverySeedKept' ? fact.data.seed : null
    return null
  } finally {
    await store.close()
  }
}

/**
 * The same out of whatever can be read of a damaged log. It must be the seed that the identity commits to.
 * @returns null when it was erased, which the first backup does; undefined when nothing of it can be seen
 * @throws log-missing, log-unopened, log-corrupt when keyring or manifest cannot be read
 */
export async function salvagedRecoverySeed(
  paths: ProfilePaths,
  identity: Identity,
): Promise<Uint8Array | null | undefined> {
  const { frames } = await walkRecords(placeOf(paths, identity))
  for await (const { records } of frames) {
    const record = records.find(({ type }) => type === REGISTRY.RecoverySeedKept.code)
    if (record === undefined) continue
    const fact = decodeFact(record)
    if (fact.type !== 'RecoverySeedKept') return null
    const { seed } = fact.data
    return sameSecret(recoveryCommitmentOf(seed), identity.recoveryCommitment) ? seed : undefined
  }
  return undefined
}

function placeOf({ log }: ProfilePaths, { root, address }: Identity): LogPlace {
  return { directory: log, fs: nodeFileSystem, root, owner: address }
}
