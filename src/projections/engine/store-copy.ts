import { join } from 'node:path'
import type { FileSystem } from '../../events/file-system/file-system.js'
import { readWhole, writeDurably } from './small-file.js'

/** LevelDB writes a table once, synced, and from then on only reads or removes it: a second name is as good as a copy. */
const TABLE = /\.(ldb|sst)$/
/** Everything else that a closed store consists of, and goes on being written to. */
const WRITTEN = /^(CURRENT|MANIFEST-[0-9]+|[0-9]+\.log)$/

/** Copies a closed level store: all of it, files and names, is on the disk when it resolves, but for its own name. */
export async function copyStore(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.mkdir(to)
  for (const name of await fs.readdir(from)) {
    if (TABLE.test(name)) await linkOrCopy(fs, join(from, name), join(to, name))
    else if (WRITTEN.test(name)) await copy(fs, join(from, name), join(to, name))
  }
  await fs.syncDirectory(to)
}

/** Not every file system has hard links, and some allow few. */
async function linkOrCopy(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.link(from, to).catch(() => copy(fs, from, to))
}

async function copy(fs: FileSystem, from: string, to: string): Promise<void> {
  await writeDurably(fs, to, await readWhole(fs, from))
}
