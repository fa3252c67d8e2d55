import type { FileSystem } from '../../file-system/file-system.js'
import { FRAMES_OFFSET } from '../format.js'

/**
 * Removes segment files for good: of each the header and the slots are overwritten first, and with them the only copy of
 * the key to its frames, which may stay on the medium for long.
 */
export async function shredSegments(
  fs: FileSystem,
  directory: string,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) await shred(fs, path)
  if (paths.length > 0) await fs.syncDirectory(directory)
}

async function shred(fs: FileSystem, path: string): Promise<void> {
  const file = await fs.open(path, 'rw')
  try {
    await file.write(0, Buffer.alloc(FRAMES_OFFSET))
    await file.datasync()
  } finally {
    await file.close()
  }
  await fs.unlink(path)
}
