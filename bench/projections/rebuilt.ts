import { FactStore } from '../../src/events/store/fact-store.js'
import { nodeFileSystem } from '../../src/events/file-system/node.js'
import { systemRng } from '../../src/foundation/rng.js'
import { openProjections } from '../../src/projections/engine.js'
import { costOf } from '../figures/cost.js'
import { jobOfThisChild } from '../figures/child.js'
import { benchIdentity, benchPaths, makeProfile } from '../profile/make-profile.js'

/** Everything shown, folded from the log of so many messages into a level store of its own. */
export interface RebuildJob {
  readonly directory: string
  readonly messages: number
}
export interface RebuildCost {
  readonly facts: number
  readonly cpu: number
  readonly wall: number
}

const WARM_UP_MESSAGES = 5_000
const { directory, messages } = jobOfThisChild<RebuildJob>()
await rebuilt(`${directory}/warm`, WARM_UP_MESSAGES)
console.log(JSON.stringify(await rebuilt(`${directory}/cold`, messages)))

async function rebuilt(into: string, count: number): Promise<RebuildCost> {
  const { facts } = await makeProfile(into, count)
  const { root, address: owner } = benchIdentity()
  const { log } = benchPaths(into)
  const store = await FactStore.open({ directory: log, fs: nodeFileSystem, root, owner, rng: systemRng })
  const cost = await costOf(async () => {
    const options = { directory: `${into}/fresh`, root, logId: store.logId, store, rng: systemRng }
    const projections = await openProjections(options)
    if (projections.view.seq !== facts) throw new Error('not all of it was folded')
    await projections.close()
  })
  await store.close()
  return { facts, ...cost }
}
