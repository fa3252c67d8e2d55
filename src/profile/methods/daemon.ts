import * as v from 'valibot'
import { SottoError } from '../../foundation/errors.js'
import { selfOf } from '../decisions/context.js'
import { isSuperseded } from '../decisions/must-speak.js'
import { statusOfAll } from './friends.js'
import { type Call, method } from './method.js'
import { type TrackerAnswer, askTrackers, unasked } from './trackers.js'

const STATUS_TRACKER_TIMEOUT_MS = 2_000

export const status = method(
  v.object({ connection: v.optional(v.boolean(), false) }),
  async (call, params) => {
    const { host, view } = call
    const self = selfOf(view)
    const asked = params.connection || host.daemon !== null
    return {
      id: self.id,
      nickname: self.nickname,
      status: self.status,
      daemon: host.daemon !== null,
      superseded: isSuperseded(view),
      listening: await host.listening(),
      trackers: asked ? await trackersNow(call) : unasked(view.trackers()),
      pending: view.outboxPeers().reduce((sum, peer) => sum + peer.pending, 0),
      contacts: statusOfAll(call),
      ...(params.connection ? { connections: await connectionsNow(call) } : {}),
    }
  },
)

/** A tracker that does not answer in time is not ok; a network that does not open is no reason to fail. */
async function trackersNow(call: Call): Promise<TrackerAnswer[]> {
  const trackers = call.view.trackers()
  if (trackers.length === 0) return []
  try {
    return await askTrackers(call, STATUS_TRACKER_TIMEOUT_MS)
  } catch {
    return unasked(trackers).map((tracker) => ({ ...tracker, ok: false }))
  }
}

async function connectionsNow({ host }: Call) {
  return (await host.net()).connections()
}

export const daemonStatus = method(v.object({}), async ({ host }) => {
  if (host.daemon === null) throw new SottoError('no-daemon')
  const { pid, since } = host.daemon
  return { running: true, pid, listening: await host.listening(), since }
})

export const daemonStop = method(v.object({}), ({ host }) => {
  if (host.daemon === null) throw new SottoError('no-daemon')
  host.stop()
  return {}
})
