import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { SottoError } from '../foundation/errors.js'
import { daemonAccess } from './access.js'
import type { ProfilePaths } from './paths.js'
import { connectRpc } from './rpc/client.js'

const STOP_PATIENCE_MS = 10_000
const STOP_POLL_MS = 50

/** Stops the daemon and deletes the login file; the log stays. */
export async function logout(paths: ProfilePaths): Promise<void> {
  const daemon = await daemonAccess(paths)
  if (daemon !== null) {
    await daemon.call('logged-out', {})
    await daemon.close()
    await stopDaemon(paths)
  }
  await rm(paths.login, { force: true })
}

/** Asks the daemon to end and waits until it has. @throws no-daemon, unreachable */
export async function stopDaemon(paths: ProfilePaths): Promise<void> {
  const daemon = await daemonAccess(paths)
  if (daemon === null) throw new SottoError('no-daemon')
  await daemon.call('daemon.stop', {})
  await daemon.close()
  const until = Date.now() + STOP_PATIENCE_MS
  for (;;) {
    const still = await connectRpc(paths.socket)
    if (still === null) return
    still.close()
    if (Date.now() > until) throw new SottoError('unreachable', 'the daemon does not end')
    await sleep(STOP_POLL_MS)
  }
}
