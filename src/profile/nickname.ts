import { SottoError } from '../foundation/errors.js'

export const MAX_NICKNAME_CHARACTERS = 64

/** Letters, marks, digits, punctuation, symbols and plain spaces: no control, format, bidi or private characters. */
const PRINTABLE = /^(?!\p{M})[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u
/** More marks than any script stacks on one letter: text drawn over its neighbours. */
const STACKED_MARKS = /\p{M}{5,}/u

/**
 * A nickname in normal form C, without spaces at its ends.
 * @throws bad-profile when it is empty, longer than 64 characters or not printable
 */
export function nicknameOf(text: string): string {
  const name = text.normalize('NFC').trim()
  const length = Array.from(name).length
  const fits = length > 0 && length <= MAX_NICKNAME_CHARACTERS
  if (!fits || !PRINTABLE.test(name) || STACKED_MARKS.test(name)) throw new SottoError('bad-profile')
  return name
}
