import type { Rng } from '../../foundation/rng.js'

const FIRST_TIMEOUT_MS = 500
const FIRST_REST_MS = 2_000
const MAX_REST_MS = 60_000
const SPREAD = 0.25
const MAX_DOUBLINGS = 16

/** How often a datagram is sent before its tracker counts as silent: 0.5 + 1 + 2 + 4 seconds. */
export const MAX_TRIES = 4

/** How long to wait for an answer to the given try (from 1), in milliseconds. */
export function timeoutOf(attempt: number, rng: Rng): number {
  return jittered(FIRST_TIMEOUT_MS * 2 ** Math.min(attempt - 1, MAX_DOUBLINGS), rng)
}

/** How long a tracker is left in peace after so many failures in a row. */
export function restOf(failures: number, rng: Rng): number {
  return jittered(Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS)), rng)
}

/** ± 25 %, so that those whom one outage stopped do not come back at once. */
export function jittered(milliseconds: number, rng: Rng): number {
  const fraction = rng.bytes(2).readUInt16BE() / 0xffff
  return Math.round(milliseconds * (1 - SPREAD + 2 * SPREAD * fraction))
}
