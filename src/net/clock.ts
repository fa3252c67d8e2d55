/** Time, injected: the network asks nothing else what time it is or to be woken. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Calls `run` once after `ms` milliseconds; the returned function cancels.
   * A held timer keeps the process alive, others do not.
   */
  after(ms: number, run: () => void, hold?: boolean): () => void
}

/** What setTimeout can count to (2³¹ − 1 ms); longer waits end early and are asked for again by whoever waits. */
const LONGEST_WAIT_MS = 0x7fffffff

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run, hold = false) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_WAIT_MS))
    if (!hold) timer.unref()
    return () => {
      clearTimeout(timer)
    }
  },
}
