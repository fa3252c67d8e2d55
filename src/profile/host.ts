import type { Endpoint, StoredFact } from '../events/vocabulary/facts.js'
import { SottoError } from '../foundation/errors.js'
import { type Net, startNet } from '../net/runtime.js'
import { activate } from './device/activate.js'
import { Forgetting } from './forgetting.js'
import type { Profile } from './profile.js'
import { finishRekey } from './rekey.js'

/** What a running daemon tells of itself. */
export interface DaemonState {
  readonly pid: number
  readonly since: number
}

/** An open profile with its network: in the daemon for as long as it runs, in a command for that command. */
export class Host {
  readonly profile: Profile
  readonly forgetting: Forgetting
  readonly daemon: DaemonState | null
  /** Ends the daemon; nothing in a command. */
  readonly stop: () => void
  /** Resolves when the network ended by itself: what it had to note could not be noted. */
  readonly failed: Promise<Error>
  readonly #listen: Endpoint | null
  #net: Promise<Net> | null = null
  #unwatch: () => void = () => undefined
  #fail: (error: Error) => void = () => undefined

  constructor(
    profile: Profile,
    options: { listen?: Endpoint | null; daemon?: DaemonState; stop?: () => void } = {},
  ) {
    this.profile = profile
    this.forgetting = new Forgetting(profile)
    this.daemon = options.daemon ?? null
    this.stop = options.stop ?? (() => undefined)
    this.#listen = options.listen ?? null
    this.failed = new Promise((resolve) => (this.#fail = resolve))
  }

  /** Opened on first use: most commands need no network. @throws cannot-listen */
  net(): Promise<Net> {
    this.#net ??= this.#startNet()
    return this.#net
  }

  async listening(): Promise<Endpoint | null> {
    return this.#net === null ? null : (await this.#net).listening
  }

  /** The network says goodbye before the log closes; what was forgotten is erased last, and a change of key finished, or when it is opened next. */
  async close(): Promise<void> {
    try {
      const net = await this.#net?.catch(() => null)
      await net?.stop()
    } finally {
      this.#unwatch()
      await this.forgetting.erase().catch(() => undefined)
      await finishRekey(this.profile).catch(() => undefined)
      await this.profile.close()
    }
  }

  async #startNet(): Promise<Net> {
    const { profile } = this
    await activate(profile)
    // What happens while it opens is told as soon as it is open.
    const early: StoredFact[] = []
    const unwatchEarly = profile.watch((fact) => early.push(fact))
    const net = await startNet({
      view: profile.view,
      vault: profile.vault,
      append: (facts) => profile.append(facts).catch((error: unknown) => this.#refused(error)),
      listen: this.#listen,
      rng: profile.rng,
    }).finally(unwatchEarly)
    for (const fact of early) net.fact(fact)
    this.#unwatch = profile.watch((fact) => net.fact(fact))
    return net
  }

  /** Nothing is sent that is not first a fact: without its facts the network stops, and its daemon with it. */
  #refused(error: unknown): never {
    this.#fail(error instanceof Error ? error : new SottoError('internal', undefined, { cause: error }))
    throw error
  }
}
