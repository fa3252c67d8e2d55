/** The first place whose entry is not below `entry`. */
export function lowerBound(sorted: readonly string[], entry: string): number {
  let low = 0
  let high = sorted.length
  // Most are looked for, or put, at the end.
  if (high > 0 && (sorted[high - 1] ?? '') < entry) return high
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') < entry) low = middle + 1
    else high = middle
  }
  return low
}
