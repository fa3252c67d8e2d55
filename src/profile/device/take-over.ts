import { LogImport, leadsTo } from '../../events/log/transfer/log-import.js'
import { auditLog } from '../../events/log/audit.js'
import type { LogPlace } from '../../events/log/open.js'
import { nodeFileSystem } from '../../events/file-system/node.js'
import type { Unlock } from '../../events/file-system/file-system.js'
import { FactStore } from '../../events/store/fact-store.js'
import { equalBytes, toHex } from '../../foundation/bytes.js'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import { type Rng, systemRng } from '../../foundation/rng.js'
import type { Identity } from '../../keys/identity.js'
import { openProjections } from '../../projections/engine.js'
import { mustNotRun } from '../daemon-process.js'
import { type ReadingProgress, patiently } from '../open.js'
import type { ProfilePaths } from '../paths.js'
import { stateHash } from '../state-hash.js'
import { type Bundle, openBundle } from './bundle.js'
import { CommonPrefix, firstToLose } from './own-history.js'
import { clearLeftovers, swapLog } from './swap-log.js'

const LOCK = 'lock'

/** The state of a log as both devices can compare it; link and hash as lower-case hex. */
export interface LogState {
  readonly seq: number
  readonly link: string
  readonly hash: string
}

export interface TakeOverOptions {
  readonly paths: ProfilePaths
  readonly identity: Identity
  readonly bundle: AsyncIterable<Uint8Array>
  readonly rng?: Rng
  /** Of the projections that are built from the new log. */
  readonly onProgress?: ReadingProgress
}

/**
 * Replaces this device's log by the one in the bundle, if nothing of its own is lost by that (SPEC § 2.5); of a log that
 * is the same already nothing is replaced. Written beside it, read again from the disk and then swapped in: whatever goes
 * wrong before that changes nothing. Appends no fact.
 * @throws daemon-runs, profile-busy; openBundle's errors, wrong-identity; device-ahead, device-conflict; log-failed
 */
export async function takeOver(options: TakeOverOptions): Promise<LogState> {
  const { paths } = options
  await mustNotRun(paths)
  const unlock = await patiently(paths, () => nodeFileSystem.lock(`${paths.log}/${LOCK}`))
  let unlockNew: Unlock | null = null
  try {
    await clearLeftovers(paths)
    if (await bringIn(options)) {
      // Nobody opens the new log before its projections are built and told of.
      unlockNew = await nodeFileSystem.lock(`${paths.newLog}/${LOCK}`)
      await swapLog(paths)
    }
    return await stateOf(options)
  } finally {
    if (unlockNew === null) {
      await clearLeftovers(paths)
      await unlock()
    } else {
      await unlock()
      await clearLeftovers(paths)
      await unlockNew()
    }
  }
}

/** @returns false when our log is the bundle's already; else the bundle's log stands in `log.new`, whole */
async function bringIn(options: TakeOverOptions): Promise<boolean> {
  const { identity, paths } = options
  const bundle = await openBundle(identity.root, options.bundle)
  if (!equalBytes(bundle.opening.owner, identity.address)) throw new SottoError('wrong-identity')
  const own = await FactStore.open({ ...placeOf(options, paths.log), rng: rngOf(options), readOnly: true })
  try {
    const prefix = equalBytes(own.logId, bundle.opening.logId) ? new CommonPrefix(own) : null
    await write(options, bundle, prefix).finally(() => prefix?.close())
    return await mayReplace(own, bundle, prefix?.common ?? 0)
  } finally {
    await own.close()
  }
}

/** Everything of ours that the bundle does not hold must be what setting up a device leaves. @throws device-ahead, device-conflict */
async function mayReplace(own: FactStore, { opening }: Bundle, common: number): Promise<boolean> {
  const { seq } = own.head
  if (common === opening.seq) {
    if (seq > common) throw new SottoError('device-ahead', `${seq} events here, ${common} in the bundle`)
    return false
  }
  const lost = await firstToLose(own, common)
  if (lost !== null) throw new SottoError('device-conflict', `event ${lost.seq} of this device`)
  return true
}

async function write(options: TakeOverOptions, bundle: Bundle, prefix: CommonPrefix | null): Promise<void> {
  const { paths } = options
  const { opening, contents } = bundle
  const place = placeOf(options, paths.newLog)
  const log = await LogImport.create({ ...place, rng: rngOf(options) }, opening.logId)
  try {
    for await (const content of contents) {
      const ends = await log.add(content)
      await prefix?.meet(ends)
    }
    if (!leadsTo(log.head, opening)) throw new SottoError('bundle-damaged', 'it does not lead to its own end')
    await log.finish()
  } catch (error) {
    throw isSottoError(error, 'malformed')
      ? new SottoError('bundle-damaged', undefined, { cause: error })
      : error
  } finally {
    await log.close()
  }
  const audit = await auditLog(place)
  if (!audit.ok || !leadsTo(audit, opening))
    throw new SottoError('log-failed', 'it was not written as it came')
}

/** From the files, without a writer: opening the profile might append what it has to tell. */
async function stateOf(options: TakeOverOptions): Promise<LogState> {
  const { paths, identity, onProgress } = options
  const rng = rngOf(options)
  const store = await FactStore.open({ ...placeOf(options, paths.log), rng, readOnly: true })
  try {
    const { directory } = paths
    const { logId, head } = store
    const projections = await openProjections({
      ...{ directory, root: identity.root, logId, store, rng },
      ...(onProgress && { onProgress }),
    })
    const hash = await projections.hashes().finally(() => projections.close())
    return { seq: head.seq, link: toHex(head.link), hash: stateHash(hash) }
  } finally {
    await store.close()
  }
}

function placeOf({ identity: { root, address: owner } }: TakeOverOptions, directory: string): LogPlace {
  return { directory, fs: nodeFileSystem, root, owner }
}

function rngOf({ rng = systemRng }: TakeOverOptions): Rng {
  return rng
}
