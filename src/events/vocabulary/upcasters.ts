import type { FactType } from './facts.js'
import { REGISTRY } from './registry.js'

/** Brings the data of one version of a fact to the next. */
export type Upcaster = (data: unknown) => unknown

/** By type: the first entry brings version 1 to 2, and so on. A fact that never changed needs no entry. */
export type Upcasters = Partial<Record<FactType, readonly Upcaster[]>>

const UPCASTERS: Upcasters = {}

/** The data of an older version in the shape of the present one. */
export function upcast(
  type: FactType,
  version: number,
  data: unknown,
  table: Upcasters = UPCASTERS,
  present: number = REGISTRY[type].version,
): unknown {
  const steps = (table[type] ?? []).slice(version - 1, present - 1)
  return steps.reduce((older, step) => step(older), data)
}
