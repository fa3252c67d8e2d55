const DAY_MS = 86_400_000
/** Clocks are set back a little all the time. */
const BACK_MS = 60_000

/** How the machine's clock has gone while we ran; times in ms. */
export interface Clock {
  readonly last: number
  /** Since when it has neither gone back nor leapt by a day. */
  readonly steadySince: number
}

export const UNREAD: Clock = { last: -Infinity, steadySince: Infinity }

export function read({ last, steadySince }: Clock, now: number): Clock {
  const leapt = now < last - BACK_MS || now > last + DAY_MS
  return { last: now, steadySince: leapt ? now : steadySince }
}

/**
 * Whether something may be given up for its age, which cannot be taken back: only by a clock that has run steadily for a
 * day. A start or a wake with a wrong date must not empty the to-be-sent table.
 */
export function mayExpire({ last, steadySince }: Clock): boolean {
  return last - steadySince >= DAY_MS
}
