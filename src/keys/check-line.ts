import { SottoError } from '../foundation/errors.js'
import { ALPHABET } from './base32.js'
import { CHECK_SYMBOLS, checkSymbols, isCorrect, MAX_LINE_SYMBOLS, singleCorrection } from './reed-solomon.js'

export const CHECK_CHARACTERS = CHECK_SYMBOLS
export const MAX_DATA_CHARACTERS = MAX_LINE_SYMBOLS - CHECK_SYMBOLS
const MAX_LINE_NUMBER = 1023
/** Beyond the code's distance a guess at what a 1 stands for is worth nothing. */
const MAX_UNCLEAR = CHECK_SYMBOLS
/** With a 1 or two, one more wrong character can still be located. */
const MAX_UNCLEAR_TO_CORRECT = 2

/**
 * What is wrong with a line. `column` counts characters from 1, separators left out; null when it cannot be told.
 * `suggestion` is what probably stands there in the original: to be shown, never taken over unasked.
 */
export interface LineProblem {
  readonly code: 'length' | 'character' | 'substitution' | 'unlocated'
  readonly column: number | null
  readonly suggestion?: string
}
export type LineCheck =
  | { readonly ok: true; readonly data: string }
  | { readonly ok: false; readonly problems: readonly LineProblem[] }

/** What a character may stand for: one value, two for a 1, none when it is not in the alphabet. */
type Reading = readonly number[]

/**
 * Data of 1 to 27 base-32 characters and its four check characters as line `line` (SPEC § 0.1).
 * @throws malformed for anything else
 */
export function encodeLine(data: string, line: number): string {
  const symbols = Array.from(data, (character) => ALPHABET.indexOf(character))
  if (symbols.length === 0 || symbols.length > MAX_DATA_CHARACTERS || symbols.includes(-1)) {
    throw new SottoError('malformed', 'data of a checked line')
  }
  if (!Number.isInteger(line) || line < 1 || line > MAX_LINE_NUMBER) {
    throw new SottoError('malformed', `line number ${line}`)
  }
  return data + textOf(checkSymbols(symbols, line))
}

/**
 * Reads a typed line: case, spaces and hyphens do not matter, 0 is O, 8 is B, and a 1 is whichever of I and L fits.
 * @param dataCharacters how many there must be before the check characters; any number when left out
 */
export function checkLine(text: string, line: number, dataCharacters?: number): LineCheck {
  const typed = plainLine(text)
  const lengthIsRight =
    dataCharacters === undefined
      ? typed.length > CHECK_CHARACTERS && typed.length <= MAX_LINE_SYMBOLS
      : typed.length === dataCharacters + CHECK_CHARACTERS
  if (!lengthIsRight) return wrong({ code: 'length', column: null })
  const readings = Array.from(typed, read)
  if (readings.some((reading) => reading.length === 0)) return notInAlphabet(readings, line)
  const unclear = readings.filter((reading) => reading.length > 1).length
  if (unclear > MAX_UNCLEAR) return { ok: false, problems: unclearOnes(readings) }
  const lines = combinations(readings)
  const correct = lines.find((symbols) => isCorrect(symbols, line))
  if (correct !== undefined) return { ok: true, data: textOf(correct.slice(0, -CHECK_CHARACTERS)) }
  return wrong(unclear > MAX_UNCLEAR_TO_CORRECT ? UNLOCATED : located(lines, line))
}

const UNLOCATED: LineProblem = { code: 'unlocated', column: null }

/** Upper case, without separators: what columns count. */
export function plainLine(text: string): string {
  return text.replace(/[\s-]/gu, '').toUpperCase()
}

function read(character: string): Reading {
  if (character === '1') return [ALPHABET.indexOf('I'), ALPHABET.indexOf('L')]
  const meant = character === '0' ? 'O' : character === '8' ? 'B' : character
  const value = ALPHABET.indexOf(meant)
  return value < 0 ? [] : [value]
}

/** Every line that the readings allow: 2 to the number of 1s. */
function combinations(readings: readonly Reading[]): number[][] {
  return readings.reduce<number[][]>(
    (lines, reading) => lines.flatMap((line) => reading.map((value) => [...line, value])),
    [[]],
  )
}

function located(lines: readonly (readonly number[])[], line: number): LineProblem {
  const corrections = lines.flatMap((symbols) => singleCorrection(symbols, line) ?? [])
  const [only] = corrections
  if (only === undefined || corrections.length > 1) return UNLOCATED
  return { code: 'substitution', column: only.index + 1, suggestion: textOf([only.symbol]) }
}

/** A single impossible character is located already, so the check characters say what it should be. */
function notInAlphabet(readings: readonly Reading[], line: number): LineCheck {
  const places = readings.flatMap((reading, i) => (reading.length === 0 ? [i] : []))
  const problems = places.map((i): LineProblem => ({ code: 'character', column: i + 1 }))
  const symbol = places.length === 1 ? symbolAt(places[0] ?? 0, readings, line) : undefined
  if (symbol === undefined) return { ok: false, problems }
  return wrong({ code: 'character', column: (places[0] ?? 0) + 1, suggestion: textOf([symbol]) })
}

function symbolAt(place: number, readings: readonly Reading[], line: number): number | undefined {
  return Array.from(ALPHABET, (_, symbol) => symbol).find((symbol) => {
    const filled = readings.map((reading, i) => (i === place ? [symbol] : reading))
    return combinations(filled).some((symbols) => isCorrect(symbols, line))
  })
}

function unclearOnes(readings: readonly Reading[]): LineProblem[] {
  return readings.flatMap((reading, i) => (reading.length > 1 ? [{ code: 'character', column: i + 1 }] : []))
}

function textOf(symbols: readonly number[]): string {
  return symbols.map((symbol) => ALPHABET.charAt(symbol)).join('')
}

function wrong(problem: LineProblem): LineCheck {
  return { ok: false, problems: [problem] }
}
