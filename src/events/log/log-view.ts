import { Damage, problem } from './damage.js'
import type { LogFiles } from './examine.js'
import { keyringKey, readKeyring } from './keyring.js'
import { type Manifest, manifestKey, readManifest } from './manifest.js'

/** What seals the two small files; 32 bytes each. */
export interface LogKeys {
  readonly keyring: Uint8Array
  readonly manifest: Uint8Array
}

/** A log as one manifest lists it, with the keys for what it lists. */
export interface LogView {
  readonly files: LogFiles
  readonly manifest: Manifest
}

export function logKeys(root: Uint8Array, logId: Uint8Array): LogKeys {
  return { keyring: keyringKey(root), manifest: manifestKey(root, logId) }
}

/**
 * The log as it is on the disk by now. The keyring is read second: it opens all that the manifest lists, unless every
 * segment has a new key since, and then there is another manifest to tell so.
 * @throws log-corrupt, log-unopened
 */
export async function readView(files: LogFiles, keys: LogKeys): Promise<LogView> {
  const { fs, directory, keyring } = files
  const manifest = await readManifest(fs, directory, keys.manifest, keyring)
  const now = await readKeyring(fs, directory, keys.keyring, keyring.owner)
  if (now === null) throw new Damage(problem(0, 0, 'keyring'))
  return { files: { ...files, keyring: now }, manifest }
}
