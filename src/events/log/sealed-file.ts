import { concat, u8, utf8 } from '../../foundation/bytes.js'
import { NONCE_BYTES, seal, unseal } from '../../foundation/crypto.js'
import { pack, unpack } from '../../foundation/pack.js'
import type { Rng } from '../../foundation/rng.js'
import type { FileSystem } from '../file-system/file-system.js'

const VERSION = 1
const MAGIC_BYTES = 8
const CLEAR_BYTES = MAGIC_BYTES + 1 + NONCE_BYTES
/** More than any keyring or manifest becomes; keeps a damaged directory from filling the memory. */
const MAX_FILE_BYTES = 64 << 20

/** `magic ‖ u8 version ‖ nonce ‖ SEAL(key, nonce, the 21 bytes before, pack(value))`: keyring and manifest (SPEC § 4.2, 4.3). */
export function sealValue(magic: string, key: Uint8Array, value: unknown, rng: Rng): Buffer {
  const nonce = rng.bytes(NONCE_BYTES)
  const clear = concat(utf8(magic), u8(VERSION), nonce)
  return concat(clear, seal(key, nonce, clear, pack(value)))
}

/** @returns the value, unvalidated, or null when the bytes are not that */
export function unsealValue(magic: string, key: Uint8Array, bytes: Uint8Array): unknown {
  const clear = bytes.subarray(0, CLEAR_BYTES)
  if (!concat(utf8(magic), u8(VERSION)).equals(clear.subarray(0, MAGIC_BYTES + 1))) return null
  const nonce = clear.subarray(MAGIC_BYTES + 1)
  if (nonce.length !== NONCE_BYTES) return null
  const plain = unseal(key, nonce, clear, bytes.subarray(CLEAR_BYTES))
  return plain === null ? null : unpack(plain)
}

/** Write to a temporary name, sync, rename, sync the directory: the old file or the new one, never a mixture. */
export async function replaceFile(
  fs: FileSystem,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = temporaryOf(directory, name)
  const file = await fs.open(temporary, 'w')
  try {
    await file.write(0, bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
  await fs.rename(temporary, `${directory}/${name}`)
  await fs.syncDirectory(directory)
}

/** What a replacement left that was cut short. */
export async function removeLeftover(fs: FileSystem, directory: string, name: string): Promise<void> {
  const temporary = temporaryOf(directory, name)
  if (await fs.exists(temporary)) await fs.unlink(temporary)
}

function temporaryOf(directory: string, name: string): string {
  return `${directory}/${name}.new`
}

/** @returns null when there is no such file */
export async function readWhole(fs: FileSystem, path: string): Promise<Buffer | null> {
  if (!(await fs.exists(path))) return null
  const file = await fs.open(path, 'r')
  try {
    return await file.read(0, Math.min(await file.size(), MAX_FILE_BYTES))
  } finally {
    await file.close()
  }
}
