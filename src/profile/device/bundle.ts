import * as v from 'valibot'
import { concat, u32, u64, u8, utf8 } from '../../foundation/bytes.js'
import { HASH_BYTES, KEY_BYTES, TAG_BYTES, kdf, seal, unseal } from '../../foundation/crypto.js'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import { pack, unpack } from '../../foundation/pack.js'
import type { Rng } from '../../foundation/rng.js'
import { ByteSource } from './byte-source.js'

/** A log on its way to another device of the same identity (SPEC § 4.10). */
const MAGIC = utf8('SOTTODEV')
const VERSION = 1
const SALT_BYTES = 16
const LOG_ID_BYTES = 16
const LENGTH_BYTES = 4
/** Of a chunk without its length field: ciphertext and tag, as large as a frame of the log may be. */
const MAX_CHUNK_BYTES = 4 << 20

function bytesOf(length: number) {
  return v.pipe(
    v.instance(Uint8Array),
    v.check((bytes) => bytes.length === length),
  )
}

const Opening = v.object({
  logId: bytesOf(LOG_ID_BYTES),
  owner: bytesOf(KEY_BYTES),
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  link: bytesOf(HASH_BYTES),
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
})

/** Chunk 0: which log (16 bytes) of whom (32), and where it ends (link 32). `at`: when it was made, in ms since 1970. */
export interface BundleOpening {
  readonly logId: Uint8Array
  readonly owner: Uint8Array
  readonly seq: number
  readonly link: Uint8Array
  readonly at: number
}

/** An opened bundle; its contents can be read once, front to back. */
export interface Bundle {
  readonly opening: BundleOpening
  /** Plaintexts of frames. @throws bundle-damaged */
  readonly contents: AsyncIterable<Buffer>
}

/** The bundle's bytes, a chunk at a time; each is sealed to its number, and the last one as the last. */
export async function* sealBundle(
  root: Uint8Array,
  rng: Rng,
  opening: BundleOpening,
  contents: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const head = concat(MAGIC, u8(VERSION), rng.bytes(SALT_BYTES))
  const key = keyOf(root, head)
  yield head
  let number = 0
  let waiting: Uint8Array = pack(opening)
  for await (const content of contents) {
    yield chunk(key, head, number++, false, waiting)
    waiting = content
  }
  yield chunk(key, head, number, true, waiting)
}

/**
 * Whatever else the bytes are, they are a bundle of this root up to the chunk that was read last.
 * @throws not-a-bundle, bundle-version, bundle-unopened (another root, or a damaged beginning: nothing can tell), bundle-damaged
 */
export async function openBundle(root: Uint8Array, bytes: AsyncIterable<Uint8Array>): Promise<Bundle> {
  const source = new ByteSource(bytes)
  try {
    const head = await readHead(source)
    const key = keyOf(root, head)
    const first = await readChunk(source)
    if (first === null) throw new SottoError('bundle-damaged')
    const plain = openChunk(key, head, 0, first.last, first.sealed)
    if (plain === null) throw cutBehindFirst(key, head, first) ?? new SottoError('bundle-unopened')
    return { opening: parseOpening(plain), contents: contentsOf(source, key, head, first.last) }
  } catch (error) {
    await source.close()
    throw error
  }
}

async function* contentsOf(
  source: ByteSource,
  key: Uint8Array,
  head: Uint8Array,
  none: boolean,
): AsyncGenerator<Buffer> {
  try {
    for (let number = 1, last = none; !last; number++) {
      const next = await readChunk(source)
      const content = next === null ? null : openChunk(key, head, number, next.last, next.sealed)
      if (next === null || content === null) throw new SottoError('bundle-damaged', `part ${number}`)
      yield content
      last = next.last
    }
  } finally {
    await source.close()
  }
}

async function readHead(source: ByteSource): Promise<Buffer> {
  const magic = await source.take(MAGIC.length)
  if (magic?.equals(MAGIC) !== true) throw new SottoError('not-a-bundle')
  const rest = await source.take(1 + SALT_BYTES)
  if (rest === null) throw new SottoError('bundle-damaged')
  if (rest[0] !== VERSION) throw new SottoError('bundle-version')
  return concat(magic, rest)
}

interface Chunk {
  readonly sealed: Buffer
  /** Nothing follows. */
  readonly last: boolean
}

/** @returns null where there is no whole chunk */
async function readChunk(source: ByteSource): Promise<Chunk | null> {
  const length = (await source.take(LENGTH_BYTES))?.readUInt32BE() ?? 0
  if (length <= TAG_BYTES || length > MAX_CHUNK_BYTES) return null
  const sealed = await source.take(length)
  return sealed === null ? null : { sealed, last: await source.atEnd() }
}

/** Cut exactly behind the first chunk: that much can be told from another root. */
function cutBehindFirst(key: Uint8Array, head: Uint8Array, { sealed, last }: Chunk): SottoError | null {
  return openChunk(key, head, 0, !last, sealed) === null ? null : new SottoError('bundle-damaged')
}

function parseOpening(plain: Buffer): BundleOpening {
  const parsed = v.safeParse(Opening, unpackOrNull(plain))
  if (!parsed.success) throw new SottoError('bundle-damaged')
  return parsed.output
}

function unpackOrNull(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes)
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}

function keyOf(root: Uint8Array, head: Uint8Array): Buffer {
  return kdf(root, 'sotto/device-bundle/1', head.subarray(head.length - SALT_BYTES))
}

function chunk(
  key: Uint8Array,
  head: Uint8Array,
  number: number,
  last: boolean,
  content: Uint8Array,
): Buffer {
  const sealed = seal(key, nonceOf(number), aadOf(head, last), content)
  if (sealed.length > MAX_CHUNK_BYTES) throw new SottoError('too-large', 'a part of a bundle')
  return concat(u32(sealed.length), sealed)
}

function openChunk(
  key: Uint8Array,
  head: Uint8Array,
  number: number,
  last: boolean,
  sealed: Uint8Array,
): Buffer | null {
  return unseal(key, nonceOf(number), aadOf(head, last), sealed)
}

/** 0⁴ ‖ u64 chunk number: the salt makes the key new for each bundle. */
function nonceOf(number: number): Buffer {
  return concat(u32(0), u64(number))
}

function aadOf(head: Uint8Array, last: boolean): Buffer {
  return concat(head, u8(last ? 1 : 0))
}
