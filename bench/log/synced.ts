import { costOf } from '../figures/cost.js'
import { jobOfThisChild } from '../figures/child.js'
import { createLog } from '../../src/events/log/index.js'
import { pack } from '../../src/foundation/pack.js'
import { PACKED_BYTES, batches } from './records.js'
import { bareSyncLoop } from './stores/bare.js'
import { logOptions } from './stores/sotto.js'

/** Appends of one record, each durable before it counts, `atOnce` under way at a time; 0 is the bare loop. */
export interface SyncedJob {
  readonly directory: string
  readonly appends: number
  readonly atOnce: number
}

const WARM_UP = 50
const job = jobOfThisChild<SyncedJob>()
console.log(JSON.stringify(job.atOnce === 0 ? await bareLoop(job) : await oneByOne(job)))

async function bareLoop({ directory, appends }: SyncedJob) {
  await bareSyncLoop(directory, WARM_UP, PACKED_BYTES)
  return costOf(() => bareSyncLoop(directory, appends, PACKED_BYTES))
}

async function oneByOne({ directory, appends, atOnce }: SyncedJob) {
  const log = await createLog(logOptions(directory))
  const records = [...batches(appends + WARM_UP, 1)].flat().map((message) => {
    return { type: 55, version: 1, at: message.sentAt, body: pack(message) }
  })
  const next = records[Symbol.iterator]()
  const worker = async (left: { count: number }) => {
    while (left.count-- > 0) {
      const { value } = next.next()
      if (value !== undefined) await log.append([value])
    }
  }
  await worker({ count: WARM_UP })
  const left = { count: appends }
  const cost = await costOf(async () => {
    await Promise.all(Array.from({ length: atOnce }, () => worker(left)))
  })
  await log.close()
  return cost
}
