import { safeLine } from './safe-text.js'

/** Rows of cells as aligned columns, two spaces apart; cells are made safe for a terminal. */
export function columns(rows: readonly (readonly string[])[]): string {
  const safe = rows.map((row) => row.map(safeLine))
  const widths: number[] = []
  for (const row of safe) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  return safe
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
