import type { FileSystem } from '../../events/file-system/file-system.js'

/** Latin-1 text; empty when there is no such file, or none that can be read. */
export async function readSmallFile(fs: FileSystem, path: string): Promise<string> {
  try {
    return (await readWhole(fs, path)).toString('latin1')
  } catch {
    return ''
  }
}

export async function readWhole(fs: FileSystem, path: string): Promise<Buffer> {
  const file = await fs.open(path, 'r')
  try {
    return await file.read(0, await file.size())
  } finally {
    await file.close()
  }
}

/** The bytes are on the disk when it resolves; the name is after `syncDirectory`. */
export async function writeDurably(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.open(path, 'w')
  try {
    await file.write(0, bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
}
