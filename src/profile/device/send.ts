import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint } from '../../events/vocabulary/facts.js'
import { wipe } from '../../foundation/bytes.js'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import { systemRng } from '../../foundation/rng.js'
import { type Identity, wipeIdentity } from '../../keys/identity.js'
import { systemClock } from '../../net/clock.js'
import { DeviceLink } from '../../net/device-link/link.js'
import { deviceSecrets } from '../../net/device-link/secrets.js'
import { knock } from '../../net/gate/device-door.js'
import { modeOf } from '../../net/gate/gate.js'
import type { Mode } from '../../net/gate/policy.js'
import { type Access, daemonAccess } from '../access.js'
import { mustBeReady } from '../lodging.js'
import { type ReadingProgress, openProfile } from '../open.js'
import type { ProfilePaths } from '../paths.js'
import type { Profile } from '../profile.js'
import { connectRpc } from '../rpc/client.js'
import { openKeyFile } from '../unlock.js'
import { bundleOf } from './export-bundle.js'
import type { LogState } from './take-over.js'

/** A daemon says goodbye to everyone before it ends. */
const DAEMON_END_MS = 15_000
const POLL_MS = 100

export interface SendOptions {
  readonly paths: ProfilePaths
  readonly to: Endpoint
  /** For the other device to be reached and to know us, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  passphrase(): Promise<string>
  /** The other device is there and ours. */
  onReached(): void
  /** The daemon of this device was stopped: what comes from now on is for the other one. */
  onDaemonStopped(): void
  readonly onProgress?: ReadingProgress
}

/**
 * Sends this device's log to another device of this identity, which waits at `to` (SPEC § 6.6). A daemon that runs here is
 * stopped, once the other device has shown itself: what it went on receiving would be on neither.
 * @throws gate-denied, unreachable, wrong-device, connection-lost, and what the other device could not do with it
 */
export async function send(options: SendOptions): Promise<LogState> {
  const { paths } = options
  mustBeReady(paths)
  const opened = new Opened(options, await openKeyFile(paths.login, () => options.passphrase()))
  try {
    const link = await reach(options, opened.identity, await opened.mode())
    const hangUp = () => void link.close()
    options.signal.addEventListener('abort', hangUp, { once: true })
    try {
      options.onReached()
      return await sendOver(link, await opened.alone())
    } catch (error) {
      await link.refuse(error)
      throw options.signal.aborted ? new SottoError('cancelled') : error
    } finally {
      options.signal.removeEventListener('abort', hangUp)
      await link.close()
    }
  } finally {
    await opened.close()
  }
}

async function sendOver(link: DeviceLink, profile: Profile): Promise<LogState> {
  const { state, bytes } = await bundleOf(profile)
  const taken = await link.sendBundle(bytes)
  // The hash may differ between versions of sotto, which show the same log in other rows; the chain cannot.
  if (taken.seq !== state.seq || taken.link !== state.link)
    throw new SottoError('device-refused', 'it has another log now')
  return state
}

async function reach(options: SendOptions, identity: Identity, mode: Mode): Promise<DeviceLink> {
  const secrets = deviceSecrets(identity.root)
  const late = new AbortController()
  const cancel = systemClock.after(options.timeoutMs, () => late.abort(), true)
  const signal = AbortSignal.any([options.signal, late.signal])
  try {
    const base = { token: secrets.token, clock: systemClock, rng: systemRng }
    const connected = await knock({ ...base, to: options.to, mode, signal })
    const hangUp = () => void connected.pipe.close()
    signal.addEventListener('abort', hangUp, { once: true })
    return await DeviceLink.calling(connected, secrets.link, systemRng).finally(() =>
      signal.removeEventListener('abort', hangUp),
    )
  } catch (error) {
    if (late.signal.aborted) throw new SottoError('unreachable', 'not in the time given', { cause: error })
    throw isSottoError(error, 'malformed')
      ? new SottoError('wrong-device', undefined, { cause: error })
      : error
  } finally {
    cancel()
    wipe(secrets.token, secrets.link)
  }
}

/** The profile, first beside a daemon that has it open, then alone. */
class Opened {
  readonly identity: Identity
  readonly #options: SendOptions
  #daemon: Access | null = null
  #profile: Profile | null = null

  constructor(options: SendOptions, identity: Identity) {
    this.#options = options
    this.identity = identity
  }

  async mode(): Promise<Mode> {
    this.#daemon = await daemonAccess(this.#options.paths)
    if (this.#daemon !== null) return (await this.#daemon.call('firewall.mode', {})).mode
    return modeOf((await this.#open()).view)
  }

  /** @throws profile-busy when the daemon does not end */
  async alone(): Promise<Profile> {
    if (this.#daemon !== null) {
      await this.#daemon.call('daemon.stop', {})
      await this.#daemon.close()
      await this.#daemonGone()
      this.#options.onDaemonStopped()
    }
    return this.#open()
  }

  async close(): Promise<void> {
    await this.#daemon?.close()
    if (this.#profile === null) wipeIdentity(this.identity)
    else await this.#profile.close()
  }

  async #open(): Promise<Profile> {
    const { paths, onProgress } = this.#options
    this.#profile ??= await openProfile({
      paths,
      identity: this.identity,
      ...(onProgress && { onProgress }),
    })
    return this.#profile
  }

  async #daemonGone(): Promise<void> {
    const until = Date.now() + DAEMON_END_MS
    for (;;) {
      const client = await connectRpc(this.#options.paths.socket)
      client?.close()
      if (client === null) return
      if (Date.now() > until) throw new SottoError('profile-busy')
      await sleep(POLL_MS)
    }
  }
}
