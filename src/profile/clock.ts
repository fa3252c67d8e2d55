/** Where time comes from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** The same, but never the same twice: messages of one sender keep their order. */
  stamp(): number
}

export function systemClock(after = 0): Clock {
  let last = after
  return {
    now: () => Date.now(),
    stamp: () => (last = Math.max(Date.now(), last + 1)),
  }
}
