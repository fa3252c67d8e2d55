import * as v from 'valibot'
import { SottoError } from '../../foundation/errors.js'
import { addTracker, removeTracker } from '../decisions/change-tracker.js'
import { type Call, Text, method } from './method.js'

const MAX_URL_CHARACTERS = 512
const CHECK_TIMEOUT_MS = 10_000
const Url = v.object({ url: Text(MAX_URL_CHARACTERS) })

export interface TrackerAnswer {
  readonly url: string
  /** Null: not asked. */
  readonly ok: boolean | null
  readonly latencyMs: number | null
  readonly from: 'hand'
}

export const add = method(Url, async ({ host, view }, { url }) => {
  await host.profile.change((deciding) => addTracker(deciding, url))
  return { trackers: unasked(view.trackers()) }
})

export const remove = method(Url, async ({ host, view }, { url }) => {
  await host.profile.change((deciding) => removeTracker(deciding, url))
  return { trackers: unasked(view.trackers()) }
})

export const list = method(v.object({}), ({ view }) => ({ trackers: unasked(view.trackers()) }))

export const check = method(v.object({}), async (call) => {
  if (call.view.trackers().length === 0) throw new SottoError('no-tracker')
  return { trackers: await askTrackers(call, CHECK_TIMEOUT_MS) }
})

/** @throws as the network does */
export async function askTrackers({ host }: Call, timeoutMs: number): Promise<TrackerAnswer[]> {
  const net = await host.net()
  const checked = await net.command({ kind: 'tracker-check' }, timeoutMs)
  if (checked.kind !== 'tracker-check') throw new SottoError('internal')
  return checked.trackers.map(({ url, ok, latencyMs }) => ({ url, ok, latencyMs, from: 'hand' }))
}

export function unasked(trackers: readonly { readonly url: string }[]): TrackerAnswer[] {
  return trackers.map(({ url }) => ({ url, ok: null, latencyMs: null, from: 'hand' }))
}
