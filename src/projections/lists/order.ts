import { toHex } from '../../foundation/bytes.js'

/** Times are 48 bits and print as twelve hex digits. */
const MAX_TIME = 2 ** 48 - 1
const HALF = 2 ** 24
const TIME_DIGITS = 12
/** A clock further ahead than this does not push its messages below everything that comes later. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000

/** Order by time stamp, then check code (RCV-4), then whatever makes it unique: text whose natural order is that. */
export function orderKey(time: number, checkCode: Uint8Array, tail: string): string {
  if (time === made.time && tail === made.tail && checkCode === made.checkCode) return made.key
  made.key = timePrefix(time) + toHex(checkCode) + tail
  made.time = time
  made.checkCode = checkCode
  made.tail = tail
  return made.key
}

/** Below every order key of that time or later, above every earlier one. */
export function timePrefix(time: number): string {
  if (time !== last.time) {
    const whole = Math.min(Math.max(0, Math.trunc(time)), MAX_TIME)
    last.prefix = hex(Math.floor(whole / HALF)) + hex(whole % HALF)
    last.time = time
  }
  return last.prefix
}

/** The folds ask for the same time one after another. */
const last = { time: 0, prefix: '0'.repeat(TIME_DIGITS) }
/** The same of order keys; two strings that are equal but not the same are compared at length. */
const made: { time: number; checkCode: Uint8Array; tail: string; key: string } = {
  ...{ time: 0, checkCode: new Uint8Array(0), tail: '' },
  key: last.prefix,
}

/** The time that an order key or a time prefix begins with. */
export function timeOf(key: string): number {
  return Number.parseInt(key.slice(0, TIME_DIGITS), 16)
}

/** Six digits. In halves, because printing integers above 2³¹ takes many times as long. */
function hex(half: number): string {
  return (half + HALF).toString(16).slice(1)
}

/** Where a message stands that came at `at`: its own time, but never far in the future. */
export function clampedTime(sentAt: number, at: number): number {
  return Math.min(sentAt, at + CLOCK_TOLERANCE_MS)
}
