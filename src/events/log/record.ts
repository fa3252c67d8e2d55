import { SottoError } from '../../foundation/errors.js'
import { MAX_BODY_BYTES, MAX_U16, MAX_U48 } from './format.js'

/** What a caller appends. `at` is milliseconds since 1970 (u48); `type` and `version` are u16; `body` is at most 1 MiB. */
export interface NewRecord {
  readonly type: number
  readonly version: number
  readonly at: number
  /** Must not change until the append has ended. */
  readonly body: Uint8Array
}

/** A record in the log. `body` is empty when `erased`, else a view onto its frame: copy it to keep it for long. */
export interface LogRecord extends NewRecord {
  readonly seq: number
  readonly erased: boolean
}

/** A record as it is read: `link` is the chain's link after its group, on the last record of a group only. */
export interface ReadRecord extends LogRecord {
  /** What the chain holds of it: salt (16 bytes) ‖ body, or of an erased record its commitment (32 bytes). A view. */
  readonly kept: Uint8Array
  readonly groupEnd: boolean
  readonly link: Uint8Array | null
}

/** The last record and the link after it; in an empty log 0 and the genesis link (32 bytes). */
export interface Head {
  readonly seq: number
  readonly link: Uint8Array
}

/** What one append became. `link` is the chain's link after `seq`. */
export interface Appended {
  readonly firstSeq: number
  readonly seq: number
  readonly link: Uint8Array
}

/** @throws malformed for numbers out of range, too-large for a body over 1 MiB */
export function checkRecord({ type, version, at, body }: NewRecord): void {
  if (!within(type, MAX_U16) || !within(version, MAX_U16) || !within(at, MAX_U48)) {
    throw new SottoError('malformed', 'a record has a type, a version or a time out of range')
  }
  if (body.length > MAX_BODY_BYTES) throw new SottoError('too-large', `a record of ${body.length} bytes`)
}

function within(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
