import { type Allowances, DEFAULT_ALLOWANCES, DEFAULT_SLOTS } from './admission.js'
import type { Allowance } from './token-table.js'

/** What bounds a tracker: memory, work and disk. */
export interface TrackerLimits {
  readonly records: number
  /** Puts that wait for their signature check or for the disk. */
  readonly pendingPuts: number
  /** When an asker may ask again for a key that is not known. */
  readonly retrySeconds: number
  readonly allowances: Allowances
  /** Of all senders together: each costs one agreement. */
  readonly hellos: Allowance
  /** Buckets in a row of each table. */
  readonly slots: number
  /** The log is compacted when it holds so many more records than twice the live ones. */
  readonly deadRecords: number
}

export const DEFAULT_LIMITS: TrackerLimits = {
  records: 1_000_000,
  pendingPuts: 1024,
  retrySeconds: 5,
  allowances: DEFAULT_ALLOWANCES,
  hellos: { rate: 2000, burst: 2000 },
  slots: DEFAULT_SLOTS,
  deadRecords: 100_000,
}
