import type { Figure } from './figures/figure.js'
import { type BenchOptions, benchOptions } from './figures/options.js'
import { print } from './figures/print.js'
import { auditCompared } from './log/audit-compared.js'
import { storesCompared } from './log/stores-compared.js'
import { syncedCompared } from './log/synced-compared.js'
import { profileMeasured } from './profile/profile-measured.js'
import { rebuildMeasured } from './projections/rebuild-measured.js'

const PARTS: readonly ((options: BenchOptions) => Promise<Figure[]>)[] = [
  storesCompared,
  syncedCompared,
  auditCompared,
  rebuildMeasured,
  profileMeasured,
]

/** The log, what is projected from it, and the profile on top: `npm run bench:log`. */
const options = benchOptions()
const figures: Figure[] = []
for (const part of PARTS) figures.push(...(await part(options)))
print(figures, options.json)
