import type { FactType } from './facts.js'

export type Fields = Readonly<Record<string, unknown>>

/** Brings the data of one version of a fact to the next. Pure, and total over what that version ever wrote. */
export type Upcaster = (data: Fields) => Fields

/** By type: the first entry brings version 1 to 2, and so on. A fact that never changed needs no entry. */
export type Upcasters = Partial<Record<FactType, readonly Upcaster[]>>

/**
 * To change a fact: raise its version in the registry, add the step here, and keep a log of the new vocabulary
 * (`test/fixtures/make-log-version.ts`); `test/events-versions.test.ts` fails until all three are done.
 */
export const UPCASTERS: Upcasters = {}

/** The data of version `from` (1 and up) in the shape of the present one. */
export function upcast(steps: readonly Upcaster[] = [], from: number, data: Fields): Fields {
  return steps.slice(from - 1).reduce((older, step) => step(older), data)
}
