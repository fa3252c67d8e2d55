import { openProfile } from '../../src/profile/open.js'
import { costOf } from '../figures/cost.js'
import { jobOfThisChild } from '../figures/child.js'
import { benchIdentity, benchPaths } from './make-profile.js'

/** Opens a profile, whose keys are at hand, and reads the end of its longest conversation. */
export interface OpenJob {
  readonly directory: string
  readonly friend: string
  readonly limit: number
}
export interface OpenCost {
  /** Milliseconds to the first read. */
  readonly ms: number
  /** Milliseconds of a read after it. */
  readonly readMs: number
  /** Resident, in megabytes. */
  readonly rss: number
}

const { directory, friend, limit } = jobOfThisChild<OpenJob>()
const paths = benchPaths(directory)
const identity = benchIdentity()
let profile: Awaited<ReturnType<typeof openProfile>> | null = null
const read = () => {
  const rows = profile?.view.conversation(friend, { limit }) ?? []
  if (rows.length !== limit) throw new Error(`${rows.length} messages instead of ${limit}`)
  return Promise.resolve()
}
const first = await costOf(async () => {
  profile = await openProfile({ paths, identity })
  await read()
})
const second = await costOf(read)
const rss = process.memoryUsage().rss / 1e6
console.log(JSON.stringify({ ms: first.wall * 1e3, readMs: second.wall * 1e3, rss } satisfies OpenCost))
// Closing is not what is measured, and the next opening may find what a kill leaves.
process.exit(0)
