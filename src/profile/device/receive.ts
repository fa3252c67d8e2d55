import type { Endpoint } from '../../events/vocabulary/facts.js'
import { wipe } from '../../foundation/bytes.js'
import { kdf } from '../../foundation/crypto.js'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import { systemRng } from '../../foundation/rng.js'
import type { Identity } from '../../keys/identity.js'
import { wipeIdentity } from '../../keys/identity.js'
import { systemClock } from '../../net/clock.js'
import { DeviceLink } from '../../net/device-link/link.js'
import { deviceSecrets } from '../../net/device-link/secrets.js'
import { type Connected, openDoor } from '../../net/gate/device-door.js'
import { mustNotRun } from '../daemon-process.js'
import { mustBeReady } from '../lodging.js'
import type { ReadingProgress } from '../open.js'
import type { ProfilePaths } from '../paths.js'
import { openKeyFile } from '../unlock.js'
import { type LogState, takeOver } from './take-over.js'

/** A caller with the token must be through with the handshake by then. */
export const HANDSHAKE_MS = 20_000
/** The other device hears this often that the work goes on here. */
const WORKING_MS = 5_000

export interface ReceiveOptions {
  readonly paths: ProfilePaths
  readonly listen: Endpoint
  /** For the other device to come, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  passphrase(): Promise<string>
  /** It can be called now. */
  onListening(listening: Endpoint): void
  /** The other device is on the line. */
  onCaller(): void
  readonly onProgress?: ReadingProgress
}

/**
 * Waits for another device of this identity and takes over its log (SPEC § 6.6). Whoever else comes sees a web site.
 * @throws daemon-runs, cannot-listen, unreachable (nobody came in time), connection-lost, and as takeOver
 */
export async function receive(options: ReceiveOptions): Promise<LogState> {
  const { paths } = options
  mustBeReady(paths)
  await mustNotRun(paths)
  const identity = await openKeyFile(paths.login, () => options.passphrase())
  const secrets = deviceSecrets(identity.root)
  const callers = new Callers(secrets.link)
  const door = await openDoor(
    {
      token: secrets.token,
      clock: systemClock,
      rng: systemRng,
      listen: options.listen,
      siteSeed: kdf(identity.addressSeed, 'sotto/site-seed/1'),
    },
    (connected) => callers.add(connected),
  )
  try {
    options.onListening(door.listening)
    const link = await awaitCaller(callers, options)
    return await takeFrom(link, options, identity).finally(() => link.close())
  } finally {
    await door.close()
    wipe(secrets.token, secrets.link)
    wipeIdentity(identity)
  }
}

async function awaitCaller(callers: Callers, { timeoutMs, signal }: ReceiveOptions): Promise<DeviceLink> {
  const late = new SottoError('unreachable', 'the other device did not come')
  const cancel = systemClock.after(timeoutMs, () => callers.giveUp(late), true)
  const abort = () => callers.giveUp(new SottoError('cancelled'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await callers.first
  } finally {
    cancel()
    signal.removeEventListener('abort', abort)
  }
}

/** One at a time: a second one with the token is turned away while the first shakes hands, and for good after that. */
class Callers {
  readonly first: Promise<DeviceLink>
  readonly #secret: Uint8Array
  #busy = false
  #resolve: (link: DeviceLink) => void = () => undefined
  giveUp: (error: SottoError) => void = () => undefined

  constructor(secret: Uint8Array) {
    this.#secret = secret
    this.first = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.giveUp = reject
    })
  }

  add(connected: Connected): void {
    if (this.#busy) {
      void connected.pipe.close()
      return
    }
    this.#busy = true
    void this.#shakeHands(connected)
  }

  async #shakeHands(connected: Connected): Promise<void> {
    const late = systemClock.after(HANDSHAKE_MS, () => void connected.pipe.close(), true)
    try {
      this.#resolve(await DeviceLink.answering(connected, this.#secret, systemRng))
    } catch {
      // Cut off, too slow, or not what it should be: somebody else may come.
      this.#busy = false
      await connected.pipe.close()
    } finally {
      late()
    }
  }
}

async function takeFrom(link: DeviceLink, options: ReceiveOptions, identity: Identity): Promise<LogState> {
  const { paths, onProgress, signal } = options
  options.onCaller()
  const hangUp = () => void link.close()
  signal.addEventListener('abort', hangUp, { once: true })
  let stopTelling: () => void = () => undefined
  const tellOn = () => {
    link.working().catch(() => undefined)
    stopTelling = systemClock.after(WORKING_MS, tellOn)
  }
  tellOn()
  try {
    const bundle = link.bundle()
    const state = await takeOver({ paths, identity, bundle, ...(onProgress && { onProgress }) })
    // It is done, whether the other device hears of it or not.
    await link.done(state).catch(() => undefined)
    return state
  } catch (error) {
    await link.refuse(error)
    if (signal.aborted) throw new SottoError('cancelled')
    throw isSottoError(error, 'malformed')
      ? new SottoError('connection-lost', undefined, { cause: error })
      : error
  } finally {
    stopTelling()
    signal.removeEventListener('abort', hangUp)
  }
}
