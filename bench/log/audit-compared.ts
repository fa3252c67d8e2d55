import { inChild } from '../figures/child.js'
import { type Figure, figure, median } from '../figures/figure.js'
import { type BenchOptions, tell } from '../figures/options.js'
import { withScratch } from '../figures/scratch-directory.js'
import type { AuditRates } from './audited.js'

export async function auditCompared({ quick }: BenchOptions): Promise<Figure[]> {
  const records = quick ? 20_000 : 100_000
  const rounds = quick ? 3 : 5
  const rates: AuditRates[] = []
  for (let round = 1; round <= rounds; round++) {
    tell(`audit, round ${round} of ${rounds}`)
    rates.push(
      await withScratch((directory) => inChild<AuditRates>('log/audited.ts', { directory, records })),
    )
  }
  const bare = { name: 'bare SHA-256 + GCM open', value: median(rates.map((rate) => rate.bare)) }
  const value = median(rates.map((rate) => rate.ours))
  const goal = { of: 'ratio', at: 'least', bound: 0.5 } as const
  return [figure({ name: 'log.audit', unit: 'MB/CPU-s', value, peer: bare, goal })]
}
