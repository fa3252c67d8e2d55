import { setTimeout as sleep } from 'node:timers/promises'
import type { FactStore } from '../events/store/fact-store.js'
import { Damage, type Problem } from '../events/log/damage.js'
import { isSottoError } from '../foundation/errors.js'

/** So long at a time it works, and so long it leaves the processor to others: a fifth of one at most. */
const WORK_MS = 5
const REST_MS = 20
/** After the system did not let it read. */
const AGAIN_AFTER_MS = 600_000

export interface Scrub {
  /** Resolves when something in the log is damaged; never when all of it is whole. */
  readonly damage: Promise<Error>
  /** Returns when it has let go of the log. Idempotent. */
  stop(): Promise<void>
}

/** Walks what opening did not look at, once, in the background (SPEC § 4.5). */
export function scrubInBackground(store: Pick<FactStore, 'scrub'>, againAfterMs = AGAIN_AFTER_MS): Scrub {
  const stop = new AbortController()
  const { signal } = stop
  let tell: (error: Error) => void = () => undefined
  const damage = new Promise<Error>((resolve) => (tell = resolve))
  const work = scrubbed(store, signal, againAfterMs).then(
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

/** Who has no file descriptor left, say, has no damage either, and is no reason for a daemon to end. */
async function scrubbed(
  store: Pick<FactStore, 'scrub'>,
  signal: AbortSignal,
  againAfterMs: number,
): Promise<Problem[]> {
  for (;;) {
    try {
      return await store.scrub(signal, restfully(signal))
    } catch (error) {
      if (!isSottoError(error, 'log-unavailable')) throw error
      await sleep(againAfterMs, undefined, { signal, ref: false })
    }
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
