import { setTimeout as sleep } from 'node:timers/promises'
import type { FactStore } from '../events/store/fact-store.js'
import { Damage } from '../events/log/damage.js'

/** So long at a time it works, and so long it leaves the processor to others: a fifth of one at most. */
const WORK_MS = 5
const REST_MS = 20

export interface Scrub {
  /** Resolves when something in the log is damaged; never when all of it is whole. */
  readonly damage: Promise<Error>
  /** Returns when it has let go of the log. Idempotent. */
  stop(): Promise<void>
}

/** Walks what opening did not look at, once, in the background (SPEC § 4.5). */
export function scrubInBackground(store: FactStore): Scrub {
  const stop = new AbortController()
  const { signal } = stop
  let tell: (error: Error) => void = () => undefined
  const damage = new Promise<Error>((resolve) => (tell = resolve))
  const work = store.scrub(signal, restfully(signal)).then(
    ([first]) => first && tell(new Damage(first)),
    (error: unknown) => {
      if (!signal.aborted && error instanceof Error) tell(error)
    },
  )
  return {
    damage,
    async stop() {
      stop.abort()
      await work
    },
  }
}

function restfully(signal: AbortSignal): () => void | Promise<void> {
  let since = performance.now()
  return () => (performance.now() - since < WORK_MS ? undefined : rest())

  async function rest(): Promise<void> {
    await sleep(REST_MS, undefined, { signal, ref: false })
    since = performance.now()
  }
}
