/** Calls `then` once after `ms` milliseconds. @returns how to call it off */
export type After = (ms: number, then: () => void) => () => void

/** The system's timer; it does not keep the process alive. */
export const systemAfter: After = (ms, then) => {
  const timer = setTimeout(then, ms)
  timer.unref()
  return () => clearTimeout(timer)
}
