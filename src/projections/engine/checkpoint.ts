import * as v from 'valibot'
import { HASH_BYTES } from '../../foundation/crypto.js'
import { equalBytes } from '../../foundation/bytes.js'
import { pack, unpack } from '../../foundation/pack.js'
import { damaged } from './damage.js'
import type { Database, Operation } from './database.js'
import type { AnyFold } from './fold.js'
import type { Heap } from './heap-pages.js'
import {
  CHECKPOINT_PREFIX,
  MARKS,
  MARK_PREFIX,
  PAGE_PREFIX,
  PLACE_PREFIX,
  ROW_PREFIX,
  checkpointKey,
  markKey,
} from './sealing.js'
import type { Sealer } from './sealing.js'

/** How far a store has come: the same for all projections in it, but for their rows. */
export interface Checkpoint {
  /** Batches written so far, this one included; they count from 1. */
  readonly batch: number
  /** The last fact in it, always the last of a commit group; 0 for none. */
  readonly seq: number
  /** The log's link after it, 32 bytes; empty for none. */
  readonly link: Uint8Array
  readonly rows: ReadonlyMap<number, number>
  /** By table ID. */
  readonly heaps: ReadonlyMap<number, Heap>
  /** The last fact in the newest snapshot that was begun; 0 for none. */
  readonly snapshot: number
}

export interface LoadedCheckpoint extends Checkpoint {
  /** Made by older versions of the folds, all of which the present view can read. */
  readonly outdated: boolean
}

/** Opening counts what a store holds if it has at most this many rows; more would take longer than a user waits. */
const COUNTED_ROWS = 20_000

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const Link = v.pipe(
  v.instance(Uint8Array),
  v.check((link) => link.length === HASH_BYTES || link.length === 0),
)
const CheckpointValue = v.object({
  version: Count,
  batch: Count,
  seq: Count,
  link: Link,
  rows: Count,
  heaps: v.array(v.tuple([Count, Count, Count])),
  snapshot: Count,
})
/** What CheckpointValue reads. */
interface Stored {
  readonly version: number
  readonly batch: number
  readonly seq: number
  readonly link: Uint8Array
  readonly rows: number
  /** Table, number of the next page, pages. */
  readonly heaps: readonly [number, number, number][]
  readonly snapshot: number
}

const MarkValue = v.object({ batch: Count, seq: Count })

/** Checkpoints of all projections and the mark of the batch that they go with (SPEC § 5). */
export function checkpointOperations(
  sealer: Sealer,
  folds: readonly AnyFold[],
  checkpoint: Checkpoint,
): Operation[] {
  const put = (key: Buffer, value: unknown): Operation => ({
    type: 'put',
    key,
    value: sealer.seal(key, pack(value)),
  })
  const { batch, seq } = checkpoint
  const each = folds.map((fold) => put(checkpointKey(fold.number), valueOf(fold, checkpoint)))
  return [...each, put(markKey(batch), { batch, seq })]
}

function valueOf({ number, version }: AnyFold, checkpoint: Checkpoint): Stored {
  const { batch, seq, link, snapshot } = checkpoint
  const heaps = [...checkpoint.heaps]
    .filter(([table]) => table >> 8 === number)
    .map(([table, { next, pages }]): [number, number, number] => [table & 0xff, next, pages])
  return { version, batch, seq, link, rows: checkpoint.rows.get(number) ?? 0, heaps, snapshot }
}

/**
 * Reads a store's checkpoint and checks everything that can be checked without the log.
 * @throws projections-damaged when something is missing, does not fit, or was made by versions of the folds that cannot be read
 */
export async function loadCheckpoint(
  database: Database,
  sealer: Sealer,
  folds: readonly AnyFold[],
): Promise<LoadedCheckpoint> {
  const values = await readCheckpoints(database, sealer)
  const first = [...values.values()][0]
  if (first === undefined) throw damaged('there are no checkpoints')
  for (const other of values.values()) if (!goesWith(first, other)) throw damaged('checkpoints differ')
  const outdated = isOutdated(values, folds)
  const { batch, seq, link, snapshot } = first
  await checkMarks(database, sealer, batch, seq)
  const rows = new Map([...values].map(([number, value]) => [number, value.rows]))
  const heaps = new Map([...values].flatMap(([number, value]) => heapsOf(number, value)))
  await checkCounts(database, rows, heaps)
  return { batch, seq, link, rows, heaps, snapshot, outdated }
}

async function readCheckpoints(database: Database, sealer: Sealer): Promise<Map<number, Stored>> {
  const values = new Map<number, Stored>()
  for await (const [key, sealed] of database.entries(under(CHECKPOINT_PREFIX)))
    values.set(key[1] ?? 0, parse(CheckpointValue, sealer, key, sealed))
  return values
}

function goesWith(a: Stored, b: Stored): boolean {
  return a.batch === b.batch && a.seq === b.seq && a.snapshot === b.snapshot && equalBytes(a.link, b.link)
}

/**
 * False when the folds made it as they are now.
 * @throws projections-damaged when the view could not read what older ones made; a projection that is no more is in nobody's way
 */
function isOutdated(values: ReadonlyMap<number, Stored>, folds: readonly AnyFold[]): boolean {
  const changed = folds.filter((fold) => values.get(fold.number)?.version !== fold.version)
  for (const { name, number, version, readsFrom = version } of changed) {
    const made = values.get(number)?.version ?? 0
    if (made < readsFrom || made > version) throw damaged(`${name} has another version`)
  }
  return changed.length > 0 || values.size !== folds.length
}

function heapsOf(projection: number, { heaps }: Stored): [number, Heap][] {
  return heaps.map(([table, next, pages]) => [projection * 256 + table, { next, pages }])
}

/** level can lose some batches and keep later ones: every batch that may still be in its write-ahead log left a mark. */
async function checkMarks(database: Database, sealer: Sealer, last: number, seq: number): Promise<void> {
  const marks = new Map<number, number>()
  for await (const [key, sealed] of database.entries(under(MARK_PREFIX))) {
    const mark = parse(MarkValue, sealer, key, sealed)
    marks.set(mark.batch, mark.seq)
  }
  let above = seq
  for (let batch = last; batch > Math.max(0, last - MARKS); batch--) {
    const at = marks.get(batch)
    if (at === undefined || at > above || (batch === last && at !== seq))
      throw damaged(`batch ${batch} is missing`)
    above = at
  }
}

async function checkCounts(
  database: Database,
  rows: ReadonlyMap<number, number>,
  heaps: ReadonlyMap<number, Heap>,
): Promise<void> {
  const expected = sum([...rows.values()])
  if (expected > COUNTED_ROWS) return
  const found = await Promise.all([ROW_PREFIX, PLACE_PREFIX].map((prefix) => count(database, prefix)))
  if (sum(found) !== expected) throw damaged('rows are missing')
  const pages = sum(Array.from(heaps.values(), (heap) => heap.pages))
  if ((await count(database, PAGE_PREFIX)) !== pages) throw damaged('pages are missing')
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, each) => total + each, 0)
}

async function count(database: Database, prefix: number): Promise<number> {
  const keys = database.keys(under(prefix))[Symbol.asyncIterator]()
  let found = 0
  while ((await keys.next()).done !== true) found++
  return found
}

function under(prefix: number) {
  return { gte: Buffer.of(prefix), lt: Buffer.of(prefix + 1) }
}

function parse<const S extends v.GenericSchema>(
  schema: S,
  sealer: Sealer,
  key: Buffer,
  sealed: Buffer,
): v.InferOutput<S> {
  const result = v.safeParse(schema, unpack(sealer.open(key, sealed)))
  if (!result.success) throw damaged('a checkpoint is not one')
  return result.output
}
