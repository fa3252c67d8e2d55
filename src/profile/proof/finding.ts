import type { DamageCode } from '../../events/log/damage.js'

/** What an audit can find wrong beside the damage of the files (SPEC § 4.5), by the name it gives it. */
export type FindingCode =
  | DamageCode
  // what the records say
  | 'unknown-event'
  | 'malformed-event'
  | 'erased-unexplained'
  | 'not-erased'
  | 'projection'
  // against a receipt
  | 'receipt-signature'
  | 'receipt-other-log'
  | 'receipt-link'
  | 'receipt-range'
  | 'receipt-unreached'
  | 'rolled-back'
  // of an export
  | 'export-header'
  | 'export-genesis'
  | 'export-line'
  | 'export-order'
  | 'export-link'
  | 'export-fact'
  | 'export-end'

/** Where and what. Segment 0 offset 0: it is nowhere in particular. In an export the segment is 0, the offset a line's. */
export interface Finding {
  readonly segment: number
  readonly offset: number
  readonly code: FindingCode
  /** Which projection. */
  readonly detail?: string
}

export function finding(segment: number, offset: number, code: FindingCode, detail?: string): Finding {
  return { segment, offset, code, ...(detail === undefined ? {} : { detail }) }
}

/** More would not fit into an answer, nor into anybody's head. */
export const MAX_FINDINGS = 200
