import { SottoError } from '../foundation/errors.js'
import { isNickname } from '../net/links/fields.js'

/**
 * A nickname in normal form C, without spaces at its ends.
 * @throws bad-profile when it is empty or not what others would take (up to 64 printable characters)
 */
export function nicknameOf(text: string): string {
  const name = text.normalize('NFC').trim()
  if (name === '' || !isNickname(name)) throw new SottoError('bad-profile')
  return name
}
