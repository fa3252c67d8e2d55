import { isBlindedKey, recordKey } from '../src/net/tracker/blinding.js'
import { KEY_PREFIX_BYTES, type PutReply } from '../src/net/tracker/operations.js'
import { type PutRecord, verifyRecord } from '../src/net/tracker/record.js'
import type { AcceptedRecord, Standing } from './record-table.js'
import { admits, type Asker, type PendingPut, reply, type Turn } from './turn.js'

/** Signatures checked in one go: about three milliseconds in which nothing else is answered. */
const VERIFY_AT_ONCE = 16
const BUSY_SECONDS = 2
const USED_UP_SECONDS = 10

/** Everything that can be decided without a signature is; only then the put waits for its check. */
export function takePut(turn: Turn, asker: Asker, record: PutRecord): void {
  const refusal = refusalOf(turn, asker, record)
  if (refusal !== null) {
    reply(turn, asker, { op: 'put', outcome: refusal })
    return
  }
  const { state, out } = turn
  state.queue.push({ asker, record, at: 0 })
  if (state.queue.length === 1) out.push({ kind: 'verify' })
}

/** Checks the oldest few and has the good ones made durable; answers the bad ones. */
export function verifyPuts(turn: Turn): void {
  const { state, now, out } = turn
  if (waitsForQuiet(turn)) return
  const batch = state.queue.splice(0, VERIFY_AT_ONCE)
  const good = batch.filter((put) => isSigned(turn, put)).map((put) => ({ ...put, at: now }))
  if (good.length > 0) store(turn, good)
  if (state.queue.length > 0) out.push({ kind: 'verify' })
}

/** The log's order decides between puts that were on their way together. */
export function finishPuts(turn: Turn, batch: number): void {
  const { state, out } = turn
  const puts = state.batches.get(batch) ?? []
  state.batches.delete(batch)
  state.logged += puts.length
  for (const put of puts) {
    const outcome = outcomeOf(turn, put.record, state.table.apply(put))
    reply(turn, put.asker, { op: 'put', outcome: outcome ?? { kind: 'stored' } })
  }
  if (!waitsForQuiet(turn) && state.queue.length > 0) out.push({ kind: 'verify' })
}

function refusalOf(turn: Turn, asker: Asker, record: PutRecord): PutReply | null {
  const { state, now } = turn
  if (!admits(turn, 'put', asker.from)) return { kind: 'slow-down', seconds: USED_UP_SECONDS }
  const standing = state.table.standing(record, now)
  const settled = standing === 'same' ? { kind: 'stored' as const } : outcomeOf(turn, record, standing)
  if (settled !== null) return settled
  if (record.ttl === 0 || !isBlindedKey(record.blinded)) return { kind: 'bad-signature' }
  if (standing === 'new' && state.table.size >= state.limits.records) return { kind: 'full' }
  if (pendingPuts(turn) >= state.limits.pendingPuts) return { kind: 'slow-down', seconds: BUSY_SECONDS }
  if (standing === 'new' && !admits(turn, 'creation', asker.from)) {
    return { kind: 'slow-down', seconds: USED_UP_SECONDS }
  }
  return null
}

/** What to answer when the record does not get in; null when it does, or is in already. */
function outcomeOf({ state, now }: Turn, record: PutRecord, standing: Standing): PutReply | null {
  if (standing === 'new' || standing === 'newer' || standing === 'same') return null
  const held = state.table.get(recordKey(record.blinded).subarray(0, KEY_PREFIX_BYTES), now)
  if (standing === 'collision' || held === undefined) return { kind: 'full' }
  return { kind: standing, record: held }
}

function isSigned(turn: Turn, { asker, record }: PendingPut): boolean {
  const signed = verifyRecord(record)
  if (!signed) reply(turn, asker, { op: 'put', outcome: { kind: 'bad-signature' } })
  return signed
}

function store({ state, out }: Turn, puts: readonly PendingPut[]): void {
  const batch = state.nextBatch++
  state.batches.set(batch, puts)
  const records: AcceptedRecord[] = puts.map(({ record, at }) => ({ record, at }))
  out.push({ kind: 'append', batch, records })
}

/**
 * A compaction that is due begins when nothing is on its way to the log, so that the table knows all that is in it: until
 * then, which takes one commit, no batch follows. It runs beside the next ones.
 */
function waitsForQuiet({ state, now, out }: Turn): boolean {
  const due = !state.compacting && state.logged > 2 * state.table.size + state.limits.deadRecords
  if (!due) return false
  if (state.batches.size > 0) return true
  state.compacting = true
  out.push({ kind: 'compact', live: state.table.holds(now) })
  return false
}

function pendingPuts({ state }: Turn): number {
  return state.queue.length + [...state.batches.values()].reduce((sum, puts) => sum + puts.length, 0)
}
