/** One measured figure beside its peer and its goal: a line of the table, or of JSON (`--json`). */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly peer: string | null
  readonly peerValue: number | null
  /** Ours / the peer's, on the same work in the same run. */
  readonly ratio: number | null
  readonly goal: string
  readonly ok: boolean
}

/** What a figure has to come to: a bound on its ratio to the peer, or on the value itself. */
export interface Goal {
  readonly of: 'ratio' | 'value'
  readonly at: 'most' | 'least'
  readonly bound: number
}

export interface Measured {
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly peer?: { readonly name: string; readonly value: number }
  readonly goal: Goal
}

export function figure({ name, unit, value, peer, goal }: Measured): Figure {
  const ratio = peer === undefined ? null : value / peer.value
  const judged = goal.of === 'ratio' ? ratio : value
  const ok = judged !== null && (goal.at === 'most' ? judged <= goal.bound : judged >= goal.bound)
  return {
    name,
    value: rounded(value),
    unit,
    peer: peer?.name ?? null,
    peerValue: peer === undefined ? null : rounded(peer.value),
    ratio: ratio === null ? null : rounded(ratio),
    goal: `${goal.of === 'ratio' ? 'ratio ' : ''}${goal.at === 'most' ? '≤' : '≥'} ${goal.bound}`,
    ok,
  }
}

/** Three significant digits: the machine gives no more. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}
