/** GF(32) with x⁵ + x² + 1 and α = 2 (SPEC § 0.1). Elements are 0 to 31; addition is XOR. */
const REDUCTION = 0b100101
const FIELD_SIZE = 32
/** The order of α: every element but 0 is a power of it. */
export const ORDER = FIELD_SIZE - 1

const powers: readonly number[] = Array.from({ length: ORDER - 1 }).reduce<number[]>(
  (list) => {
    const next = (list.at(-1) ?? 1) << 1
    return [...list, next < FIELD_SIZE ? next : next ^ REDUCTION]
  },
  [1],
)

/** α to the n. */
export function power(n: number): number {
  return powers[((n % ORDER) + ORDER) % ORDER] as number
}

/** The n with αⁿ = a, for a ≠ 0. */
export function logarithm(a: number): number {
  return powers.indexOf(a)
}

export function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : power(logarithm(a) + logarithm(b))
}

/** a / b, for b ≠ 0. */
export function over(a: number, b: number): number {
  return a === 0 ? 0 : power(logarithm(a) - logarithm(b))
}
