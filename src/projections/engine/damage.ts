import { SottoError, isSottoError } from '../../foundation/errors.js'

/** The stored projections contradict themselves or do not open. Never fatal: they are rebuilt from the log. */
export function damaged(what: string, cause?: unknown): SottoError {
  return new SottoError('projections-damaged', what, { cause })
}

export function isDamage(error: unknown): boolean {
  return isSottoError(error, 'projections-damaged')
}

/** For rows that another row promises. @throws projections-damaged when it is not there */
export function promised<Row>(row: Row | undefined, what: string): Row {
  if (row === undefined) throw damaged(what)
  return row
}
