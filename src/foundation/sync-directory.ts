import { open } from 'node:fs/promises'

/** Makes creations, renames and removals in a directory durable: fsync(2) of the file alone does not reach its name. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
