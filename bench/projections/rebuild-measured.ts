import { inChild } from '../figures/child.js'
import { type Figure, figure, median } from '../figures/figure.js'
import { type BenchOptions, tell } from '../figures/options.js'
import { withScratch } from '../figures/scratch-directory.js'
import type { RebuildCost } from './rebuilt.js'

export async function rebuildMeasured({ quick }: BenchOptions): Promise<Figure[]> {
  const messages = quick ? 20_000 : 100_000
  const rounds = quick ? 1 : 5
  const rates: number[] = []
  for (let round = 1; round <= rounds; round++) {
    tell(`projections, round ${round} of ${rounds}`)
    const cost = await withScratch((directory) =>
      inChild<RebuildCost>('projections/rebuilt.ts', { directory, messages }),
    )
    rates.push(cost.facts / cost.cpu)
  }
  const goal = { of: 'value', at: 'least', bound: 70_000 } as const
  return [figure({ name: 'projections.rebuild', unit: 'events/CPU-s', value: median(rates), goal })]
}
