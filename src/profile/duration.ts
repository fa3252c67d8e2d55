import { SottoError } from '../foundation/errors.js'

const MINUTE_MS = 60_000
const UNITS = { w: 10_080 * MINUTE_MS, d: 1_440 * MINUTE_MS, h: 60 * MINUTE_MS, m: MINUTE_MS } as const
/** Ten years. */
const MAX_MS = 520 * UNITS.w
const WEEKS_FROM_MS = 4 * UNITS.w
const DURATION = /^([1-9][0-9]{0,6})([mhdw])$/
const NEVER = 'off'

/** `30m`, `12h`, `7d`, `4w` in milliseconds, at least a minute and at most ten years; `off` is null. @throws usage */
export function parseDuration(text: string): number | null {
  if (text === NEVER) return null
  const [, count, unit] = DURATION.exec(text) ?? []
  const ms = Number(count) * UNITS[unit as keyof typeof UNITS]
  if (!isDuration(ms)) throw new SottoError('usage', 'write 30m, 12h, 7d, 4w (at least 1m) or off')
  return ms
}

/** Whole minutes. */
export function isDuration(ms: number): boolean {
  return ms >= MINUTE_MS && ms <= MAX_MS && ms % MINUTE_MS === 0
}

/** In the largest unit that says it exactly; in weeks from four on, so that a week stays `7d`. */
export function sayDuration(ms: number | null): string {
  if (ms === null) return NEVER
  const fits = ([unit, length]: readonly [string, number]) =>
    ms % length === 0 && (unit !== 'w' || ms >= WEEKS_FROM_MS)
  const [unit, length] = Object.entries(UNITS).find(fits) ?? ['m', MINUTE_MS]
  return `${ms / length}${unit}`
}
