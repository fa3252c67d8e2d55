import type { Endpoint } from '../events/vocabulary/facts.js'
import type { Identity } from '../keys/identity.js'
import { dispatch } from './dispatch.js'
import { keepForgetting } from './forgetting.js'
import { Host } from './host.js'
import { type ReadingProgress, openProfile } from './open.js'
import type { ProfilePaths } from './paths.js'
import { finishRekey } from './rekey.js'
import { refreshEveryone } from './refresh.js'
import { type RpcServer, serveRpc } from './rpc/server.js'
import { scrubInBackground } from './scrub.js'
import { readSetting } from './settings.js'

const NOWHERE = 'off'

export interface DaemonOptions {
  readonly paths: ProfilePaths
  readonly identity: Identity
  /** HOST:PORT, `off`, or null for what the setting says. */
  readonly listen: string | null
  /** A person is looking: ask now and then who is online (PRE-4). */
  readonly refresh: boolean
  /** Ends the daemon, as `daemon stop` does. */
  readonly signal: AbortSignal
  readonly onProgress?: ReadingProgress
}

export interface Daemon {
  readonly listening: Endpoint | null
  readonly pid: number
  /** When it has ended: said goodbye, closed the log, removed the socket. Rejects when the log failed or is damaged. */
  readonly ended: Promise<void>
}

/**
 * The process that stays on the network: one open profile, served to commands over the local socket.
 * @throws profile-busy, cannot-listen, log-corrupt
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { paths, identity, onProgress } = options
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, options.signal])
  const daemon = { pid: process.pid, since: Date.now() }
  const profile = await openProfile({ paths, identity, ...(onProgress && { onProgress }) })
  const wanted = options.listen ?? readSetting(profile.view, 'listen')
  const listen = wanted === NOWHERE ? null : wanted
  const host = new Host(profile, { listen, daemon, stop: () => setImmediate(() => stop.abort()) })
  let server: RpcServer | null = null
  try {
    server = await serveRpc(paths.socket, (method, params, emit, gone, room) =>
      dispatch(host, method, params, emit, gone, room),
    )
    const { listening } = await host.net()
    const ended = untilStopped(host, server, signal, options.refresh)
    return { listening, pid: daemon.pid, ended }
  } catch (error) {
    await server?.close()
    await host.close()
    throw error
  }
}

async function untilStopped(
  host: Host,
  server: RpcServer,
  signal: AbortSignal,
  refresh: boolean,
): Promise<void> {
  const stopRefreshing = refresh ? refreshEveryone(host) : () => undefined
  const stopForgetting = keepForgetting(host.forgetting)
  void finishRekey(host.profile).catch(() => undefined)
  const stopped = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null)
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
  const scrub = scrubInBackground(host.profile.store)
  const failure = await Promise.race([stopped, host.profile.failed, host.failed, scrub.damage])
  stopRefreshing()
  await scrub.stop()
  stopForgetting()
  await server.close()
  await host.close()
  if (failure !== null) throw failure
}
