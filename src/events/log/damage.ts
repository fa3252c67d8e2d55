import { SottoError } from '../../foundation/errors.js'
import { troubleOf } from '../../foundation/system-trouble.js'

/** What can be wrong, by the name the audit gives it. */
const MEANING = {
  keyring: 'the keyring does not open',
  'manifest-missing': 'the manifest is missing',
  manifest: 'the manifest does not open',
  'manifest-old': 'a segment holds frames and the manifest does not list it, so the manifest is an older one',
  'segment-missing': 'a segment is missing',
  'segment-header': 'the header is damaged or another segment’s',
  unreadable: 'the disk does not give the bytes',
  frame: 'a frame is cut, damaged or in a wrong place',
  chain: 'the segment does not end where the next begins',
  anchor: 'an anchor claims something else than the frames say',
  slot: 'an anchor slot is damaged',
  lost: 'frames are missing that were durable',
  surplus: 'there are bytes behind the last frame',
  'torn-tail': 'the last frame was not finished, and was never acknowledged',
  ambiguous: 'the last commit is missing, and nothing tells whether it was acknowledged',
} as const

export type DamageCode = keyof typeof MEANING

/** Segment 0 is the keyring or the manifest; offsets count bytes from the file's start. */
export interface Problem {
  readonly segment: number
  readonly offset: number
  readonly code: DamageCode
}

export function problem(segment: number, offset: number, code: DamageCode): Problem {
  return { segment, offset, code }
}

/** Carries a problem through the engine; leaves the room as `log-corrupt`. */
export class Damage extends SottoError {
  readonly problem: Problem

  constructor(found: Problem, options?: ErrorOptions) {
    super('log-corrupt', `segment ${found.segment}, offset ${found.offset}: ${MEANING[found.code]}`, options)
    this.problem = found
  }
}

/**
 * For bytes that the system did not give: damage, unless it says why, and that has nothing to do with them. Whoever has
 * no file descriptor left must not be told that the disk holds wrong bytes.
 */
export function notGiven(segment: number, offset: number, cause: unknown): SottoError {
  return troubleOf(cause) ?? new Damage(problem(segment, offset, 'unreadable'), { cause })
}
