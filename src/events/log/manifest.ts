import * as v from 'valibot'
import { kdf } from '../../foundation/crypto.js'
import type { Rng } from '../../foundation/rng.js'
import type { FileSystem } from '../file-system/file-system.js'
import { genesis } from './chain.js'
import { bytesOf } from './bytes-schema.js'
import { Damage, notGiven, problem } from './damage.js'
import { ID_BYTES, LINK_BYTES, MAX_U32 } from './format.js'
import type { Keyring } from './keyring.js'
import { readWhole, replaceFile, sealValue, unsealValue } from './sealed-file.js'

const MAGIC = 'SOTTOMAN'
export const MANIFEST_NAME = 'manifest'

const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const SegmentEntry = v.object({
  number: v.pipe(positive, v.maxValue(MAX_U32)),
  segmentId: bytesOf(ID_BYTES),
  firstSeq: positive,
  previousLink: bytesOf(LINK_BYTES),
})
const numbers = v.optional(v.array(v.pipe(positive, v.maxValue(MAX_U32))), [])
const Manifest = v.object({
  generation: positive,
  segments: v.array(SegmentEntry),
  drafts: numbers,
  retired: numbers,
})

/** One live segment: which file, and where in the chain it begins. */
export type SegmentEntry = v.InferOutput<typeof SegmentEntry>

/**
 * The live segments in order, the files a rewrite is writing (`drafts`) and those it has replaced (`retired`);
 * `generation` grows by one with each replacement (SPEC § 4.3).
 */
export type Manifest = v.InferOutput<typeof Manifest>

export const EMPTY_MANIFEST: Manifest = { generation: 1, segments: [], drafts: [], retired: [] }

/** Seals the manifest of one log; 32 bytes. */
export function manifestKey(root: Uint8Array, logId: Uint8Array): Buffer {
  return kdf(root, 'sotto/manifest/1', logId)
}

export async function writeManifest(
  fs: FileSystem,
  directory: string,
  key: Uint8Array,
  manifest: Manifest,
  rng: Rng,
): Promise<void> {
  await replaceFile(fs, directory, MANIFEST_NAME, sealValue(MAGIC, key, manifest, rng))
}

/** @throws log-corrupt: a log that has a keyring has had a manifest since before that; log-unavailable */
export async function readManifest(
  fs: FileSystem,
  directory: string,
  key: Uint8Array,
  keyring: Keyring,
): Promise<Manifest> {
  const bytes = await readWhole(fs, `${directory}/${MANIFEST_NAME}`).catch((cause: unknown) => {
    throw notGiven(0, 0, cause)
  })
  if (bytes === null) throw new Damage(problem(0, 0, 'manifest-missing'))
  const parsed = v.safeParse(Manifest, unsealValue(MAGIC, key, bytes))
  if (!parsed.success || !inOrder(parsed.output, keyring)) throw new Damage(problem(0, 0, 'manifest'))
  return parsed.output
}

/** No number twice, sequence numbers grow, and the first segment begins at genesis. */
function inOrder({ segments, drafts, retired }: Manifest, { logId, owner }: Keyring): boolean {
  const all = [...segments.map(({ number }) => number), ...drafts, ...retired]
  if (new Set(all).size !== all.length) return false
  const [first] = segments
  if (first === undefined) return true
  if (first.firstSeq !== 1 || !genesis(logId, owner).equals(first.previousLink)) return false
  return segments.every((segment, i) => {
    const before = segments[i - 1]
    return before === undefined || segment.firstSeq > before.firstSeq
  })
}
