import * as v from 'valibot'
import { KEY_BYTES, kdf } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { FileSystem } from '../file-system/file-system.js'
import { bytesOf } from './bytes-schema.js'
import { notGiven } from './damage.js'
import { ID_BYTES, MAX_U32 } from './format.js'
import { readWhole, replaceFile, sealValue, unsealValue } from './sealed-file.js'

const MAGIC = 'SOTTOKEY'
export const KEYRING_NAME = 'keyring'
export const OWNER_BYTES = 32
const FIRST_GENERATION = 1

const generation = v.pipe(v.number(), v.integer(), v.minValue(FIRST_GENERATION), v.maxValue(MAX_U32))
const Keyring = v.object({
  logId: bytesOf(ID_BYTES),
  owner: bytesOf(OWNER_BYTES),
  keks: v.pipe(v.array(v.object({ generation, kek: bytesOf(KEY_BYTES) })), v.minLength(1)),
})

/** Whose log this is, and the keys that wrap its segments' keys (SPEC § 4.2). */
export type Keyring = v.InferOutput<typeof Keyring>

/** A new log's: random ID (16 bytes) and first KEK. */
export function drawKeyring(owner: Uint8Array, rng: Rng): Keyring {
  if (owner.length !== OWNER_BYTES) throw new SottoError('malformed', 'a log’s owner has 32 bytes')
  const keks = [{ generation: FIRST_GENERATION, kek: rng.bytes(KEY_BYTES) }]
  return { logId: rng.bytes(ID_BYTES), owner, keks }
}

/** @param key see `keyringKey` */
export async function writeKeyring(
  fs: FileSystem,
  directory: string,
  key: Uint8Array,
  keyring: Keyring,
  rng: Rng,
): Promise<void> {
  await replaceFile(fs, directory, KEYRING_NAME, sealValue(MAGIC, key, keyring, rng))
}

/**
 * A keyring that does not open is damaged or another root's: nothing can tell which, so it is `log-unopened`.
 * @returns null when there is none
 * @throws log-unopened; log-corrupt when the disk does not give the bytes, log-unavailable when the system does not
 */
export async function readKeyring(
  fs: FileSystem,
  directory: string,
  key: Uint8Array,
  owner: Uint8Array,
): Promise<Keyring | null> {
  const bytes = await readWhole(fs, `${directory}/${KEYRING_NAME}`).catch((cause: unknown) => {
    throw notGiven(0, 0, cause)
  })
  if (bytes === null) return null
  const parsed = v.safeParse(Keyring, unsealValue(MAGIC, key, bytes))
  if (!parsed.success) throw new SottoError('log-unopened')
  if (!Buffer.from(owner).equals(parsed.output.owner))
    throw new SottoError('log-unopened', 'it is another owner’s')
  return parsed.output
}

/** The same log with one more KEK, under which everything new is written. */
export function withNewKek(keyring: Keyring, rng: Rng): Keyring {
  const generation = newestKek(keyring).generation + 1
  return { ...keyring, keks: [...keyring.keks, { generation, kek: rng.bytes(KEY_BYTES) }] }
}

/** The newest KEK, for new segments. */
export function newestKek({ keks }: Keyring): Keyring['keks'][number] {
  return keks.reduce((newest, kek) => (kek.generation > newest.generation ? kek : newest))
}

/** Seals the keyring of one root; 32 bytes. */
export function keyringKey(root: Uint8Array): Buffer {
  return kdf(root, 'sotto/keyring/1')
}
