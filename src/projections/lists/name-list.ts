import type { Reads, Table, Tx } from '../engine/fold.js'
import { lowerBound } from './sorted.js'

/** A set of a few thousand names at most, sorted, in one row; row keys are MACs, so tables cannot be listed. */
export type NameList = Table<readonly string[]>

const ONLY_ROW = 'names'

export function namesIn(reads: Reads, list: NameList): readonly string[] {
  return reads.get(list, ONLY_ROW) ?? []
}

export function addName(tx: Tx, list: NameList, name: string): void {
  const names = namesIn(tx, list)
  const place = lowerBound(names, name)
  if (names[place] !== name) tx.put(list, ONLY_ROW, names.toSpliced(place, 0, name))
}

export function removeName(tx: Tx, list: NameList, name: string): void {
  const names = namesIn(tx, list).filter((other) => other !== name)
  if (names.length > 0) tx.put(list, ONLY_ROW, names)
  else tx.delete(list, ONLY_ROW)
}
