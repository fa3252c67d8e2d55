import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const DIARIES = ['LOG', 'LOG.old']
const PRIVATE_DIRECTORY = 0o700

/**
 * LevelDB keeps a diary, with the time to the microsecond of every opening, that no option turns off. A directory in
 * the diary's place does: it goes on without one. The file inside keeps LevelDB from renaming it away.
 * Call before opening, on a directory that is there; what an earlier opening wrote is removed.
 */
export async function muteLevel(directory: string): Promise<void> {
  for (const diary of DIARIES) {
    const place = join(directory, diary)
    const there = await lstat(place).catch(() => null)
    if (there?.isDirectory() === true) continue
    await rm(place, { force: true })
    await mkdir(place, { mode: PRIVATE_DIRECTORY })
    await writeFile(join(place, 'none'), '', { mode: 0o600 })
  }
}
