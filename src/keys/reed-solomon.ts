import { logarithm, over, power, times } from './galois.js'

/** Check symbols of a line; two correct lines of one number differ in at least five places. */
export const CHECK_SYMBOLS = 4
export const MAX_LINE_SYMBOLS = 31
const ROOTS = [1, 2, 3, 4] as const

/** Where a single wrong symbol stands (0 is the first) and what it should be. */
export interface Correction {
  readonly index: number
  readonly symbol: number
}

/** The check symbols that make data ‖ check a correct line `line` (1 to 1023) of SPEC § 0.1. */
export function checkSymbols(data: readonly number[], line: number): number[] {
  const missing = errorSyndromes([...data, ...new Array<number>(CHECK_SYMBOLS).fill(0)], line)
  return interpolate(missing)
}

/** True when the symbols are a correct line of that number. */
export function isCorrect(symbols: readonly number[], line: number): boolean {
  return errorSyndromes(symbols, line).every((syndrome) => syndrome === 0)
}

/**
 * The one substitution that would make the line correct, or null when there is none: then at least two symbols are
 * wrong. A line with four or more wrong symbols can be mistaken for one with one.
 */
export function singleCorrection(symbols: readonly number[], line: number): Correction | null {
  const [first = 0, second = 0, third = 0, fourth = 0] = errorSyndromes(symbols, line)
  if (first === 0 || second === 0 || third === 0) return null
  // One error e at xⁿ gives the syndromes e·αⁿ, e·α²ⁿ, e·α³ⁿ, e·α⁴ⁿ: a geometric sequence.
  const ratio = over(second, first)
  if (over(third, second) !== ratio || over(fourth, third) !== ratio) return null
  const index = symbols.length - 1 - logarithm(ratio)
  const wrong = symbols[index]
  return wrong === undefined ? null : { index, symbol: wrong ^ over(first, ratio) }
}

/** The syndromes at the generator's roots, less those that a correct line of that number has. */
function errorSyndromes(symbols: readonly number[], line: number): number[] {
  const seed = [line % 32, 0, Math.floor(line / 32), 1 + (line % 31)]
  return ROOTS.map((root, i) => {
    const alpha = power(root)
    return symbols.reduce((sum, symbol) => times(sum, alpha) ^ symbol, 0) ^ (seed[i] as number)
  })
}

/** The polynomial of degree 3 (highest power first) that takes these values at the roots (Lagrange). */
function interpolate(values: readonly number[]): number[] {
  return ROOTS.reduce<number[]>((sum, root, i) => {
    const basis = basisPolynomial(root)
    return sum.map((coefficient, k) => coefficient ^ times(basis[k] as number, values[i] as number))
  }, new Array<number>(CHECK_SYMBOLS).fill(0))
}

/** 1 at α^root, 0 at the other roots. */
function basisPolynomial(root: number): number[] {
  return ROOTS.filter((other) => other !== root).reduce<number[]>(
    (product, other) => {
      const scale = power(root) ^ power(other)
      const shifted = [...product, 0]
      return shifted.map((c, k) => over(c ^ times(product[k - 1] ?? 0, power(other)), scale))
    },
    [1],
  )
}
