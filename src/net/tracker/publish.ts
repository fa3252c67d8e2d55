import { toHex, wipe } from '../../foundation/bytes.js'
import type { Rng } from '../../foundation/rng.js'
import type { SelfRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import type { PutReply } from './operations.js'
import { CHANGE_MS, NO_SECRET, periodOffset, periodsToPublish, periodStart } from './period.js'
import {
  blindOwnPlace,
  buildRecord,
  type PutRecord,
  type RecordBody,
  type RecordPlace,
  verifyRecord,
} from './record.js'
import { RECORD_DEVICE_BYTES } from './record-body.js'

export type PublishedKind = 'public' | 'friends'

/** A record of one's own, ready for the client's `put`. */
export interface OwnRecord extends PutRecord {
  readonly kind: PublishedKind
}

/** The highest seq used or seen for each of our blinded keys (hex); bounded. */
export type SequenceMemory = Map<string, number>

const MINUTE_MS = 60_000
const MAX_REMEMBERED = 64

/**
 * One's own records for the current period and, within an hour of the change, the next. Public: the newest introduction
 * key and the endpoints, no status; none at all when not discoverable or without an introduction key. Friends: status
 * and endpoints, under the friend secret; none without one. Sequence numbers rise in `last`: max(last + 1, now).
 */
export function ownRecords(
  self: SelfRow,
  vault: Vault,
  now: number,
  rng: Rng,
  kinds: readonly PublishedKind[] = ['public', 'friends'],
  last: SequenceMemory = new Map(),
): readonly OwnRecord[] {
  return kinds.flatMap((kind) => {
    const content = kind === 'public' ? publicBody(self, now) : friendsBody(self, now)
    return content === null ? [] : recordsOf(kind, content, vault, now, rng, last)
  })
}

/**
 * After `stale` or `conflict`: takes note of what the tracker holds and says whether building again (`ownRecords` with
 * the same `last`) is worth it. A record that we did not sign is the tracker's invention and changes nothing.
 */
export function learnOutcome(last: SequenceMemory, put: PutRecord, outcome: PutReply): boolean {
  if (outcome.kind !== 'stale' && outcome.kind !== 'conflict') return false
  const held = outcome.record
  if (held.seq < put.seq || !verifyRecord({ ...held, blinded: put.blinded, period: put.period })) return false
  raise(last, toHex(put.blinded), held.seq)
  return true
}

interface Content {
  readonly secret: Uint8Array
  readonly body: RecordBody
}

function publicBody(self: SelfRow, now: number): Content | null {
  const introduction = self.introductionKeys.at(-1)?.public
  if (!self.discoverable || introduction === undefined) return null
  const body = {
    status: 'offline',
    at: now,
    introduction,
    questions: false,
    device: null,
    endpoints: self.endpoints,
  } as const
  return { secret: NO_SECRET, body }
}

function friendsBody(self: SelfRow, now: number): Content | null {
  if (self.friendSecret === null) return null
  const body = {
    ...{ status: self.status, at: now, introduction: null, questions: false },
    device: self.device && {
      epoch: self.device.epoch,
      device: self.device.device.subarray(0, RECORD_DEVICE_BYTES),
    },
    endpoints: self.endpoints,
  }
  return { secret: self.friendSecret, body }
}

function recordsOf(
  kind: PublishedKind,
  { secret, body }: Content,
  vault: Vault,
  now: number,
  rng: Rng,
  last: SequenceMemory,
): OwnRecord[] {
  const offset = periodOffset(kind, vault.address, secret)
  return periodsToPublish(now, offset).map((period) => {
    const place = ownPlace({ kind, address: vault.address, secret, period }, vault)
    const seq = nextSeq(last, toHex(place.blinded), now)
    const ttl = minutesUntil(periodStart(period + 1, offset) + CHANGE_MS, now)
    const record = { kind, ...buildRecord(place, { seq, ttl, body }, rng) }
    wipe(place.signer.scalar, place.signer.prefix)
    return record
  })
}

/** The vault gives out a copy of the seed; it lives no longer than needed. */
function ownPlace(place: RecordPlace, vault: Vault) {
  const seed = vault.addressSeed()
  try {
    return blindOwnPlace(place, seed)
  } finally {
    wipe(seed)
  }
}

function nextSeq(last: SequenceMemory, name: string, now: number): number {
  return raise(last, name, Math.max((last.get(name) ?? 0) + 1, now))
}

function raise(last: SequenceMemory, name: string, seq: number): number {
  last.delete(name)
  last.set(name, seq)
  const [oldest] = last.keys()
  if (last.size > MAX_REMEMBERED && oldest !== undefined) last.delete(oldest)
  return seq
}

function minutesUntil(end: number, now: number): number {
  return Math.ceil((end - now) / MINUTE_MS)
}
