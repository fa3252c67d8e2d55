import type { Profile } from './profile.js'

/**
 * Resolves as soon as `reached` holds, asked now and after every fact; false when the time is over or `signal` fires.
 */
export function waitFor(
  profile: Profile,
  reached: () => boolean,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (reached()) return Promise.resolve(true)
  if (timeoutMs <= 0 || signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      unwatch()
      signal.removeEventListener('abort', end)
      resolve(reached())
    }
    const unwatch = profile.watch(() => reached() && end())
    const timer = setTimeout(end, timeoutMs)
    signal.addEventListener('abort', end, { once: true })
  })
}
