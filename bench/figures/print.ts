import type { Figure } from './figure.js'

const HEAD = ['figure', 'value', 'unit', 'peer', 'peer value', 'ratio', 'goal', '']

/** A table for people; one JSON object a line for programs. */
export function print(figures: readonly Figure[], json: boolean): void {
  if (json) for (const figure of figures) console.log(JSON.stringify(figure))
  else console.log(tableOf([HEAD, ...figures.map(rowOf)]))
}

function rowOf({ name, value, unit, peer, peerValue, ratio, goal, ok }: Figure): string[] {
  const cell = (content: string | number | null) => (content === null ? '' : String(content))
  return [
    name,
    cell(value),
    unit,
    cell(peer),
    cell(peerValue),
    cell(ratio),
    goal,
    ok ? 'reached' : 'NOT reached',
  ]
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => line.trimEnd()).join('\n')
}
