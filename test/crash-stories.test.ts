import { once } from 'node:events'
import t, { type Test } from 'tap'
import { forkFixture } from './fixtures/child.js'
import type { AllTold, StoryJob } from './fixtures/crash/story-child.js'
import type { Told } from './fixtures/crash/log-story.js'

const LOG_STORIES = 600
const PROJECTION_STORIES = 60

/**
 * Tells the story of each seed; one that fails is told again by `npm run crash -- --seed N`. In a process without tap,
 * which follows every promise made here, and these are millions.
 * @returns what came about in all of them
 */
async function allTold(t: Test, job: StoryJob): Promise<Told> {
  const child = forkFixture('crash/story-child')
  child.send(job)
  const died = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the stories ended with ${String(code ?? signal)}`)
  })
  const answered = once(child, 'message').then(([answer]) => answer as AllTold)
  const { told, failures } = await Promise.race([answered, died])
  await died.catch(() => undefined)
  for (const failure of failures) t.fail(failure)
  return told
}

/** The stories are about what they are meant to be about. */
function mustHaveHappened(t: Test, told: Told, atLeast: number, what: readonly string[]): void {
  for (const each of what) t.ok((told[each] ?? 0) >= atLeast, `${each}: ${told[each]}`)
}

t.test('ES-1 ES-2 a log keeps what it acknowledged, whatever a crash or a bad disk comes into', async (t) => {
  const told = await allTold(t, { of: 'log', count: LOG_STORIES })
  const done = ['append', 'appends', 'idle', 'rotate', 'merge', 'rekey', 'forget', 'compact', 'close', 'kill']
  mustHaveHappened(t, told, LOG_STORIES / 5, [...done, 'power cuts', 'killed'])
  mustHaveHappened(t, told, LOG_STORIES / 40, ['ENOSPC', 'EROFS', 'EIO', 'recovered', 'ambiguous'])
})

t.test('ES-2 projections show what the log tells, whatever a crash or a bad disk comes into', async (t) => {
  const told = await allTold(t, { of: 'projections', count: PROJECTION_STORIES })
  const done = ['facts', 'flush', 'rebuild', 'purge', 'close', 'roll back']
  mustHaveHappened(t, told, PROJECTION_STORIES / 4, [...done, 'power cuts', 'killed'])
})
