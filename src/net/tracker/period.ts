import { lp, u32, u8 } from '../../foundation/bytes.js'
import { hash } from '../../foundation/crypto.js'

/** The three records of a person (SPEC § 8.1); questions are reserved: nothing publishes or asks for them yet. */
export type RecordKind = 'public' | 'friends' | 'questions'
export const KIND_CODE: Readonly<Record<RecordKind, number>> = { public: 1, friends: 2, questions: 3 }

export const PERIOD_MS = 86_400_000
/** How near the change of the period counts as near: clocks may differ by as much. */
export const CHANGE_MS = 3_600_000

/** The secret of a public record: none. */
export const NO_SECRET = new Uint8Array(0)

/** When in the day this person's period changes, in milliseconds: spread, so that a tracker sees no midnight rush. */
export function periodOffset(kind: RecordKind, address: Uint8Array, secret: Uint8Array): number {
  const digest = hash('sotto/period-offset/1', u8(KIND_CODE[kind]), address, secret)
  return Number(digest.readBigUInt64BE() % BigInt(PERIOD_MS))
}

export function periodAt(now: number, offset: number): number {
  return Math.max(0, Math.floor((now - offset) / PERIOD_MS))
}

/** When the period begins, in milliseconds since 1970. */
export function periodStart(period: number, offset: number): number {
  return period * PERIOD_MS + offset
}

/** The owner keeps the current period's record up, and within an hour of the change the next one's too. */
export function periodsToPublish(now: number, offset: number): readonly number[] {
  const period = periodAt(now, offset)
  return periodAt(now + CHANGE_MS, offset) === period ? [period] : [period, period + 1]
}

/** A reader whose clock differs from the owner's by up to an hour still asks for the record the owner keeps up. */
export function periodsToAsk(now: number, offset: number): readonly number[] {
  const near = [now, now - CHANGE_MS, now + CHANGE_MS].map((at) => periodAt(at, offset))
  return [...new Set(near)]
}

/** What the blinding depends on: 32 bytes. */
export function blindParam(
  kind: RecordKind,
  address: Uint8Array,
  secret: Uint8Array,
  period: number,
): Uint8Array {
  return hash('sotto/blind/1', u8(KIND_CODE[kind]), address, lp(secret), u32(period))
}
