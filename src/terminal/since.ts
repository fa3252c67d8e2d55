import { SottoError } from '../foundation/errors.js'

/** A point in time as typed: milliseconds since 1970, or an ISO 8601 date. @throws usage */
export function parseSince(text: string): number {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (!Number.isSafeInteger(at) || at < 0) throw new SottoError('usage', 'that is not a time')
  return at
}
