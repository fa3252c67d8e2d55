import t, { type Test } from 'tap'
import { type Told, tellLogStory } from './fixtures/crash/log-story.js'
import { tellProjectionStory } from './fixtures/crash/projection-story.js'

const LOG_STORIES = 600
const PROJECTION_STORIES = 60

/**
 * Tells the story of each seed; one that fails is told again by `npm run crash -- --seed N`.
 * @returns what came about in all of them
 */
async function allTold(
  t: Test,
  seeds: Iterable<number>,
  tell: (seed: number) => Promise<Told>,
): Promise<Told> {
  const all: Told = {}
  for (const seed of seeds) {
    try {
      for (const [what, times] of Object.entries(await tell(seed))) all[what] = (all[what] ?? 0) + times
    } catch (error) {
      t.fail(String(error))
    }
  }
  return all
}

/** The stories are about what they are meant to be about. */
function mustHaveHappened(t: Test, told: Told, atLeast: number, what: readonly string[]): void {
  for (const each of what) t.ok((told[each] ?? 0) >= atLeast, `${each}: ${told[each]}`)
}

t.test('ES-1 ES-2 a log keeps what it acknowledged, whatever a crash or a bad disk comes into', async (t) => {
  const told = await allTold(t, Array(LOG_STORIES).keys(), tellLogStory)
  const done = ['append', 'appends', 'idle', 'rotate', 'merge', 'rekey', 'forget', 'compact', 'close', 'kill']
  mustHaveHappened(t, told, LOG_STORIES / 5, [...done, 'power cuts', 'killed'])
  mustHaveHappened(t, told, LOG_STORIES / 40, ['ENOSPC', 'EROFS', 'EIO', 'recovered', 'ambiguous'])
})

t.test('ES-2 projections show what the log tells, whatever a crash or a bad disk comes into', async (t) => {
  const told = await allTold(t, Array(PROJECTION_STORIES).keys(), tellProjectionStory)
  const done = ['facts', 'flush', 'rebuild', 'purge', 'close', 'roll back']
  mustHaveHappened(t, told, PROJECTION_STORIES / 4, [...done, 'power cuts', 'killed'])
})
