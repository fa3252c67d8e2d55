import type { FileSystem } from '../src/events/file-system/file-system.js'
import { readWhole, replaceFile } from '../src/events/log/sealed-file.js'
import { concat, u8, utf8, wipe } from '../src/foundation/bytes.js'
import { KEY_BYTES, x25519Public } from '../src/foundation/crypto.js'
import { SottoError } from '../src/foundation/errors.js'
import { Reader } from '../src/foundation/reader.js'
import type { Rng } from '../src/foundation/rng.js'

/** What a tracker is: the key its URL pins, and the root of its log. 32 bytes each. */
export interface TrackerKeys {
  readonly secret: Uint8Array
  readonly public: Uint8Array
  readonly root: Uint8Array
}

const FILE = 'tracker.key'
const MAGIC = utf8('SOTTOTRK')
const VERSION = 1

/**
 * The keys in `directory`, drawn at the first start (SPEC § 8.5); mode 0600.
 * @throws malformed when the file is not a tracker's key: it is never replaced by a new one
 */
export async function trackerKeys(fs: FileSystem, directory: string, rng: Rng): Promise<TrackerKeys> {
  const path = `${directory}/${FILE}`
  const bytes = (await readWhole(fs, path)) ?? (await draw(fs, directory, rng))
  try {
    return decode(bytes)
  } finally {
    wipe(bytes)
  }
}

async function draw(fs: FileSystem, directory: string, rng: Rng): Promise<Uint8Array> {
  const bytes = concat(MAGIC, u8(VERSION), rng.bytes(KEY_BYTES), rng.bytes(KEY_BYTES))
  await replaceFile(fs, directory, FILE, bytes)
  return bytes
}

function decode(bytes: Uint8Array): TrackerKeys {
  const reader = new Reader(bytes)
  if (!reader.bytes(MAGIC.length).equals(MAGIC) || reader.u8() !== VERSION) {
    throw new SottoError('malformed', FILE)
  }
  const secret = Uint8Array.from(reader.bytes(KEY_BYTES))
  const root = Uint8Array.from(reader.bytes(KEY_BYTES))
  reader.end()
  return { secret, public: x25519Public(secret), root }
}
