import type { TrackerAnswer } from '../profile/methods/trackers.js'
import { columns } from './table.js'

export function sayTrackers(trackers: readonly TrackerAnswer[]): string {
  if (trackers.length === 0) return 'no tracker; run sotto tracker add URL'
  return columns(
    trackers.map(({ url, ok, latencyMs }) => [
      ok === null ? 'not asked' : ok ? 'ok' : 'no answer',
      latencyMs === null ? '' : `${Math.round(latencyMs)} ms`,
      url,
    ]),
  )
}
