import { join } from 'node:path'
import type { FileSystem } from '../../events/file-system/file-system.js'
import { nodeFileSystem } from '../../events/file-system/node.js'
import { SottoError } from '../../foundation/errors.js'
import { readSmallFile, writeDurably } from './small-file.js'
import { damaged } from './damage.js'
import { openInMemory, openOnDisk } from './database.js'
import type { Database } from './database.js'
import { copyStore } from './store-copy.js'

/**
 * Where numbered stores live, which of them counts, and copies of earlier states, by rising numbers of their own
 * (SPEC § 1: `projections/<n>`, `projections/current`, `projections/snap-<n>`).
 */
export interface Backing {
  /** Null when none counts, or what tells is unreadable. */
  current(): Promise<number | null>
  present(): Promise<readonly number[]>
  /**
   * Opens, or makes, store n.
   * @throws projections-damaged when it does not open, profile-busy when another process has it
   */
  open(n: number): Promise<Database>
  /** From now on n counts: atomic, and durable when it resolves. */
  makeCurrent(n: number): Promise<void>
  /** Removes a closed store. */
  discard(n: number): Promise<void>
  /** Whole ones, in rising order. */
  snapshots(): Promise<readonly number[]>
  /** Copies the closed store n: atomic, and durable when it resolves. */
  snapshot(n: number, snapshot: number): Promise<void>
  /** Copies a snapshot into store n, which does not count yet. */
  restore(snapshot: number, n: number): Promise<void>
  discardSnapshot(snapshot: number): Promise<void>
  /** Removes what a crash left half done, but for stores. */
  sweep(): Promise<void>
}

const NUMBER = /^[1-9][0-9]{0,8}$/
const SNAPSHOT = /^snap-([1-9][0-9]{0,8})$/
const UNFINISHED = /^snap-[0-9]+\.new$/

/** @param openStore makes or opens a store in a directory that is there; for tests another one than level */
export function diskBacking(
  directory: string,
  fs: FileSystem = nodeFileSystem,
  openStore: (location: string) => Promise<Database> = openOnDisk,
): Backing {
  const pointer = join(directory, 'current')
  const at = (n: number) => join(directory, String(n))
  const snapshotAt = (n: number) => join(directory, `snap-${n}`)
  const remove = (names: readonly string[]) =>
    Promise.all(names.map((name) => fs.removeDirectory(join(directory, name))))
  return {
    async current() {
      const text = await readSmallFile(fs, pointer)
      return NUMBER.test(text) ? Number(text) : null
    },
    async present() {
      await fs.mkdir(directory)
      return (await fs.readdir(directory)).filter((name) => NUMBER.test(name)).map(Number)
    },
    async open(n) {
      await fs.mkdir(at(n))
      return openStore(at(n)).catch(refused)
    },
    async makeCurrent(n) {
      await writeDurably(fs, `${pointer}.new`, Buffer.from(String(n)))
      await fs.syncDirectory(directory)
      await fs.rename(`${pointer}.new`, pointer)
      await fs.syncDirectory(directory)
    },
    discard: (n) => fs.removeDirectory(at(n)),
    async snapshots() {
      const found = (await fs.readdir(directory)).flatMap((name) => SNAPSHOT.exec(name)?.[1] ?? [])
      return found.map(Number).sort((a, b) => a - b)
    },
    async snapshot(n, snapshot) {
      const unfinished = `${snapshotAt(snapshot)}.new`
      await fs.removeDirectory(unfinished)
      await copyStore(fs, at(n), unfinished)
      await fs.rename(unfinished, snapshotAt(snapshot))
      await fs.syncDirectory(directory)
    },
    async restore(snapshot, n) {
      await fs.removeDirectory(at(n))
      await copyStore(fs, snapshotAt(snapshot), at(n))
    },
    discardSnapshot: (snapshot) => fs.removeDirectory(snapshotAt(snapshot)),
    async sweep() {
      await remove((await fs.readdir(directory)).filter((name) => UNFINISHED.test(name)))
    },
  }
}

/** The same in memory; it outlives the projections opened on it, as a disk does. */
export function memoryBacking(): Backing {
  const stores = new Map<number, Database>()
  const snapshots = new Map<number, Database>()
  let current: number | null = null
  const copy = async (from: Map<number, Database>, n: number) => openInMemory(await contentOf(from.get(n)))
  return {
    current: () => Promise.resolve(current),
    present: () => Promise.resolve([...stores.keys()]),
    async open(n) {
      const store = stores.get(n) ?? (await openInMemory())
      stores.set(n, store)
      return store
    },
    makeCurrent(n) {
      current = n
      return Promise.resolve()
    },
    discard: (n) => Promise.resolve(void stores.delete(n)),
    snapshots: () => Promise.resolve([...snapshots.keys()].sort((a, b) => a - b)),
    async snapshot(n, snapshot) {
      snapshots.set(snapshot, await copy(stores, n))
    },
    async restore(snapshot, n) {
      stores.set(n, await copy(snapshots, snapshot))
    },
    discardSnapshot: (snapshot) => Promise.resolve(void snapshots.delete(snapshot)),
    sweep: () => Promise.resolve(),
  }
}

async function contentOf(database: Database | undefined): Promise<[Buffer, Buffer][]> {
  const content: [Buffer, Buffer][] = []
  const everything = { gte: Buffer.of(0), lt: Buffer.of(0xff) }
  for await (const entry of database?.entries(everything) ?? []) content.push(entry)
  return content
}

function refused(error: unknown): never {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED') {
    throw new SottoError('profile-busy', undefined, { cause })
  }
  throw damaged('the store does not open', error)
}
