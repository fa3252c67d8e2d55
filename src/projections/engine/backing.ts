import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SottoError } from '../../foundation/errors.js'
import { syncDirectory } from '../../foundation/sync-directory.js'
import { damaged } from './damage.js'
import { openInMemory, openOnDisk } from './database.js'
import type { Database } from './database.js'

/** Where numbered stores live, and which of them counts (SPEC § 1: `projections/<n>` and `projections/current`). */
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
}

const NUMBER = /^[1-9][0-9]{0,8}$/
const PRIVATE_DIRECTORY = 0o700
const PRIVATE_FILE = 0o600

export function diskBacking(directory: string): Backing {
  const pointer = join(directory, 'current')
  const at = (n: number) => join(directory, String(n))
  return {
    async current() {
      const text = await readFile(pointer, 'latin1').catch(() => '')
      return NUMBER.test(text) ? Number(text) : null
    },
    async present() {
      await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY })
      return (await readdir(directory)).filter((name) => NUMBER.test(name)).map(Number)
    },
    async open(n) {
      await mkdir(at(n), { recursive: true, mode: PRIVATE_DIRECTORY })
      return openOnDisk(at(n)).catch(refused)
    },
    async makeCurrent(n) {
      await writeDurably(`${pointer}.new`, String(n))
      await rename(`${pointer}.new`, pointer)
      await syncDirectory(directory)
    },
    discard: (n) => rm(at(n), { recursive: true, force: true }),
  }
}

/** The same in memory; it outlives the projections opened on it, as a disk does. */
export function memoryBacking(): Backing {
  const stores = new Map<number, Database>()
  let current: number | null = null
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
    discard(n) {
      stores.delete(n)
      return Promise.resolve()
    },
  }
}

function refused(error: unknown): never {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED') {
    throw new SottoError('profile-busy', undefined, { cause })
  }
  throw damaged('the store does not open', error)
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', PRIVATE_FILE)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
