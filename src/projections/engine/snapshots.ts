import type { Backing } from './backing.js'
import type { Numbered } from './opening.js'
import type { Store } from './store.js'

/** When a snapshot is worth its place. */
export interface SnapshotPolicy {
  /** Facts that the newest one may be behind. */
  readonly every: number
  /** A store of fewer facts has none: it is built anew as quickly. */
  readonly atLeast: number
}

export const SNAPSHOT_POLICY: SnapshotPolicy = { every: 20_000, atLeast: 1_000 }
const KEPT = 2

export async function isSnapshotDue(
  backing: Backing,
  store: Store,
  policy: SnapshotPolicy,
): Promise<boolean> {
  if (store.outdated) return false
  if ((await backing.snapshots()).length === 0) return store.seq >= policy.atLeast
  return store.seq - store.checkpoint.snapshot > policy.every
}

/** Closes the store and copies it. What goes wrong with that costs time at some later opening, and nothing else. */
export async function takeSnapshot(backing: Backing, { store, number }: Numbered): Promise<void> {
  await store.beginSnapshot().catch(() => undefined)
  await store.close()
  await copyAndForget(backing, number).catch(() => undefined)
}

export async function discardSnapshots(backing: Backing): Promise<void> {
  for (const snapshot of await backing.snapshots()) await backing.discardSnapshot(snapshot)
}

/** The older ones go last: at no moment are there fewer than before. */
async function copyAndForget(backing: Backing, number: number): Promise<void> {
  const before = await backing.snapshots()
  await backing.snapshot(number, (before.at(-1) ?? 0) + 1)
  for (const snapshot of before.slice(0, Math.max(0, before.length + 1 - KEPT)))
    await backing.discardSnapshot(snapshot)
}
