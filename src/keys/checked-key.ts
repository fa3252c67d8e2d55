import { KEY_BYTES } from '../foundation/crypto.js'
import { SottoError, type ErrorCode } from '../foundation/errors.js'
import { fromBase32, toBase32 } from './base32.js'
import { CHECK_CHARACTERS, checkLine, encodeLine, plainLine, type LineProblem } from './check-line.js'

const BLOCKS = 2
const DATA_CHARACTERS = 26
const BLOCK_CHARACTERS = DATA_CHARACTERS + CHECK_CHARACTERS
/** Two blocks of 26 + 4 characters. */
export const KEY_CHARACTERS = BLOCKS * BLOCK_CHARACTERS

/** A 32-byte key in the form of SPEC § 0.2; its two blocks bear the line numbers `firstLine` and `firstLine` + 1. */
export function encodeKey(key: Uint8Array, firstLine: number): string {
  if (key.length !== KEY_BYTES) throw new SottoError('malformed', `a key of ${key.length} bytes`)
  const text = toBase32(key)
  return blocksOf(text, DATA_CHARACTERS)
    .map((data, i) => encodeLine(data, firstLine + i))
    .join('')
}

/**
 * The 32 bytes again, from what a person typed.
 * @throws `code`, naming block and character of what is wrong, and what may stand there instead
 */
export function decodeKey(text: string, firstLine: number, code: ErrorCode): Uint8Array {
  const typed = plainLine(text)
  if (typed.length !== KEY_CHARACTERS) {
    throw new SottoError(code, `${typed.length} characters where ${KEY_CHARACTERS} are needed`)
  }
  const data = blocksOf(typed, BLOCK_CHARACTERS).map((block, i) => {
    const checked = checkLine(block, firstLine + i, DATA_CHARACTERS)
    if (!checked.ok) throw new SottoError(code, describe(block, i + 1, checked.problems))
    return checked.data
  })
  try {
    return fromBase32(data.join(''))
  } catch (cause) {
    throw new SottoError(code, `block ${BLOCKS} ends in bits that no key has`, { cause })
  }
}

/** For people: groups of six, as in a printed list; `decodeKey` takes it back. */
export function groupKey(text: string): string {
  return (text.match(/.{1,6}/gu) ?? []).join('-')
}

function blocksOf(text: string, length: number): string[] {
  return Array.from({ length: BLOCKS }, (_, i) => text.slice(i * length, (i + 1) * length))
}

function describe(block: string, number: number, problems: readonly LineProblem[]): string {
  return problems
    .map(({ column, suggestion }) => {
      if (column === null) return `block ${number}: several characters are wrong`
      const found = block.charAt(column - 1)
      return `block ${number}, character ${column}: ${found}${suggestion === undefined ? '' : ` → ${suggestion}?`}`
    })
    .join('; ')
}
