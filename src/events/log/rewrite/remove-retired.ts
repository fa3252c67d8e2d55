import type { LogFiles } from '../examine.js'
import type { LiveManifest } from '../live-manifest.js'
import { segmentPath } from '../segment-file.js'
import { shredSegments } from './shred.js'

/** Shreds files that the manifest on the disk names as retired; only then may the next one leave their numbers out. */
export async function removeRetired(
  { fs, directory }: LogFiles,
  manifest: LiveManifest,
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return
  const paths = numbers.map((number) => segmentPath(directory, number))
  await shredSegments(fs, directory, paths)
  await manifest.removed(numbers)
}
