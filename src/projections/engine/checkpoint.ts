import * as v from 'valibot'
import { HASH_BYTES } from '../../foundation/crypto.js'
import { equalBytes } from '../../foundation/bytes.js'
import { pack, unpack } from '../../foundation/pack.js'
import { damaged } from './damage.js'
import type { Database, Operation } from './database.js'
import type { AnyFold } from './fold.js'
import { CHECKPOINT_PREFIX, MARKS, MARK_PREFIX, ROW_PREFIX, checkpointKey, markKey } from './sealing.js'
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
}

/** Opening counts the rows of a store if it has at most this many; more would take longer than a user waits. */
const COUNTED_ROWS = 20_000

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const Link = v.pipe(
  v.instance(Uint8Array),
  v.check((link) => link.length === HASH_BYTES || link.length === 0),
)
const CheckpointValue = v.object({ version: Count, batch: Count, seq: Count, link: Link, rows: Count })
const MarkValue = v.object({ batch: Count, seq: Count })

/** Checkpoints of all projections and the mark of the batch that they go with (SPEC § 5). */
export function checkpointOperations(
  sealer: Sealer,
  folds: readonly AnyFold[],
  checkpoint: Checkpoint,
): Operation[] {
  const { batch, seq, link } = checkpoint
  const put = (key: Buffer, value: unknown): Operation => ({
    type: 'put',
    key,
    value: sealer.seal(key, pack(value)),
  })
  const each = folds.map(({ number, version }) => {
    return put(checkpointKey(number), { version, batch, seq, link, rows: checkpoint.rows.get(number) ?? 0 })
  })
  return [...each, put(markKey(batch), { batch, seq })]
}

/**
 * Reads a store's checkpoint and checks everything that can be checked without the log.
 * @throws projections-damaged when something is missing, does not fit, or was made by other versions of the folds
 */
export async function loadCheckpoint(
  database: Database,
  sealer: Sealer,
  folds: readonly AnyFold[],
): Promise<Checkpoint> {
  const values = folds.map((fold) => readCheckpoint(database, sealer, fold))
  const first = values[0]
  if (first === undefined) throw damaged('there are no checkpoints')
  const { batch, seq, link } = first
  for (const other of values) {
    if (other.batch !== batch || other.seq !== seq || !equalBytes(other.link, link))
      throw damaged('checkpoints differ')
  }
  if ((await checkpointsIn(database)) !== folds.length) throw damaged('there are other projections')
  await checkMarks(database, sealer, batch, seq)
  const rows = new Map(folds.map((fold, i) => [fold.number, values[i]?.rows ?? 0]))
  await checkRows(database, rows)
  return { batch, seq, link, rows }
}

function readCheckpoint(
  database: Database,
  sealer: Sealer,
  fold: AnyFold,
): v.InferOutput<typeof CheckpointValue> {
  const value = parse(
    CheckpointValue,
    sealer,
    checkpointKey(fold.number),
    database.getSync(checkpointKey(fold.number)),
  )
  if (value.version !== fold.version) throw damaged(`${fold.name} has another version`)
  return value
}

async function checkpointsIn(database: Database): Promise<number> {
  return count(database, CHECKPOINT_PREFIX)
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

async function checkRows(database: Database, rows: ReadonlyMap<number, number>): Promise<void> {
  const expected = [...rows.values()].reduce((sum, each) => sum + each, 0)
  if (expected > COUNTED_ROWS) return
  if ((await count(database, ROW_PREFIX)) !== expected) throw damaged('rows are missing')
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
  sealed: Buffer | undefined,
): v.InferOutput<S> {
  if (sealed === undefined) throw damaged('a checkpoint is missing')
  const result = v.safeParse(schema, unpack(sealer.open(key, sealed)))
  if (!result.success) throw damaged('a checkpoint is not one')
  return result.output
}
