import { inChild } from '../figures/child.js'
import { type Figure, figure, median } from '../figures/figure.js'
import { type BenchOptions, tell } from '../figures/options.js'
import { withScratch } from '../figures/scratch-directory.js'
import { daemonRead } from './daemon-read.js'
import { makeProfile } from './make-profile.js'
import type { OpenCost } from './opened.js'

/** A profile with a million messages: opened, and read from by a daemon. */
export async function profileMeasured({ quick }: BenchOptions): Promise<Figure[]> {
  const messages = quick ? 20_000 : 1_000_000
  const rounds = quick ? 3 : 7
  return withScratch(async (directory) => {
    tell(`a profile of ${messages} messages is being made`)
    const { paths, friends, facts } = await makeProfile(directory, messages)
    const friend = friends[0] ?? ''
    tell(`it has ${facts} facts; opening it ${rounds} times`)
    const opened: OpenCost[] = []
    for (let round = 0; round < rounds; round++) {
      opened.push(await inChild<OpenCost>('profile/opened.ts', { directory, friend, limit: 50 }))
    }
    const { ms, rss } = await daemonRead(directory, paths, friend)
    const most = (bound: number) => ({ of: 'value', at: 'most', bound }) as const
    const open = median(opened.map((each) => each.ms))
    return [
      figure({ name: 'profile.open.1m', unit: 'ms to first read', value: open, goal: most(300) }),
      figure({ name: 'profile.read.1m', unit: 'ms, chat read --limit 50', value: ms, goal: most(30) }),
      figure({ name: 'profile.memory.1m', unit: 'MB resident, the daemon', value: rss, goal: most(200) }),
    ]
  })
}
