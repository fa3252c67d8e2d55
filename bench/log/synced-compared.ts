import { inChild } from '../figures/child.js'
import type { Cost } from '../figures/cost.js'
import { type Figure, figure, median } from '../figures/figure.js'
import { type BenchOptions, tell } from '../figures/options.js'
import { withScratch } from '../figures/scratch-directory.js'
import type { SyncedJob } from './synced.js'

const AT_ONCE = 16

/** Wall time: here it is the disk that is waited for. Interleaved, since it is not always in the same mood. */
export async function syncedCompared({ quick }: BenchOptions): Promise<Figure[]> {
  const appends = quick ? 200 : 1000
  const rounds = quick ? 3 : 7
  const rates: Record<'bare' | 'single' | 'concurrent', number[]> = { bare: [], single: [], concurrent: [] }
  for (let round = 1; round <= rounds; round++) {
    tell(`synced appends, round ${round} of ${rounds}`)
    rates.bare.push(await rateOf(0, appends))
    rates.single.push(await rateOf(1, appends))
    rates.concurrent.push(await rateOf(AT_ONCE, appends * 4))
  }
  const unit = 'synced appends/s'
  const single = median(rates.single)
  const goal = (bound: number) => ({ of: 'ratio', at: 'least', bound }) as const
  const loop = { name: 'bare write + fdatasync loop', value: median(rates.bare) }
  return [
    figure({ name: 'log.single', unit, value: single, peer: loop, goal: goal(0.9) }),
    figure({
      name: `log.concurrent${AT_ONCE}`,
      unit,
      value: median(rates.concurrent),
      peer: { name: 'log.single', value: single },
      goal: goal(6),
    }),
  ]
}

async function rateOf(atOnce: number, appends: number): Promise<number> {
  const { wall } = await withScratch((directory) => {
    const job: SyncedJob = { directory, appends, atOnce }
    return inChild<Cost>('log/synced.ts', job)
  })
  return appends / wall
}
