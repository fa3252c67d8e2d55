import type { Access } from '../access.js'
import { type Check, check } from './check.js'

export function noDaemon(): Check[] {
  return [check('daemon', true, 'does not run')]
}

/** What only the daemon knows; it asks the trackers, the doctor asks nobody. */
export async function daemonChecks(daemon: Access): Promise<Check[]> {
  const { listening, trackers } = await daemon.call('status', {})
  const answered = trackers.filter((tracker) => tracker.ok === true).length
  return [
    check('daemon', true, 'runs'),
    check('listening', listening !== null, listening ?? 'nobody can call; see daemon start --listen'),
    check('trackers', answered > 0, `${answered} of ${trackers.length} answer`),
  ]
}
