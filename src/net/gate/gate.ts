import { isIP } from 'node:net'
import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { View } from '../../projections/view.js'
import type { Clock } from '../clock.js'
import type { Effect, Input, Proven } from '../effects.js'
import { openFront, type Front } from '../site/front.js'
import { siteListener } from '../site/site.js'
import { WEB_LIMITS, type WebLimits } from '../site/web-server.js'
import { joinEndpoint, plainIp, scopeOf, splitEndpoint } from './address.js'
import { Admission } from './admission.js'
import type { Traffic } from './carriage-table.js'
import { reportConnections, type ConnectionReport } from './connections.js'
import { Dialling } from './dialling.js'
import { Names, resolverAddresses, type Resolve } from './names.js'
import { ownEndpoints } from './own-addresses.js'
import type { Mode, Policy } from './policy.js'
import { Peers } from './peers.js'
import { Refusals, type Refusal } from './refusals.js'
import { Strangers } from './strangers.js'
import { TrackerPost } from './tracker-post.js'
import type { Vault } from './vault.js'

/** The effects that leave this machine or need a private key. */
export type GateEffect = Extract<Effect, { kind: 'dial' | 'send' | 'close' | 'open-oaep' | 'datagram' }>
export type GateInput = Extract<
  Input,
  { kind: 'accepted' | 'dialled' | 'dial-failed' | 'message' | 'closed' | 'oaep-opened' | 'datagram' }
>

export interface GateOptions {
  readonly view: View
  readonly vault: Vault
  readonly rng: Rng
  readonly clock: Clock
  /** What the site of this installation is drawn from, 32 secret bytes. */
  readonly siteSeed: Uint8Array
  onInput(input: GateInput): void
  /** What was not let out or in; already rate-limited. */
  onRefused(refusal: Refusal): void
  /** A mistake of ours, or records that cannot be read, met where there is nobody to throw it to. */
  onFault?(error: unknown): void
  /** The system's resolver unless a test gives its own. */
  readonly resolve?: Resolve
  readonly limits?: WebLimits
}

export interface Gate {
  perform(effect: GateEffect): void
  /** Opens the web site, and with it the way in. @throws cannot-listen, bad-endpoint */
  listen(endpoint: Endpoint): Promise<Endpoint>
  /** Where others may reach us, as far as this machine knows; empty while nothing listens. */
  readonly own: readonly Endpoint[]
  /** Lets a person who has no row be dialled until the returned function is called. */
  permitLookup(who: UserId): () => void
  /** Stops reading from all peers (`true`) while what they sent is not durable yet. */
  hold(on: boolean): void
  connections(): Promise<ConnectionReport>
  traffic(): readonly Traffic[]
  /** Says goodbye to every peer and closes every socket; idempotent. */
  close(): Promise<void>
}

/** How often the system's list of our sockets is compared while links are open. */
const WATCH_MS = 30_000

/** Everything that leaves or enters this process by the network passes here. */
export function openGate(options: GateOptions): Gate {
  return new OpenGate(options)
}

class OpenGate implements Gate {
  readonly #options: GateOptions
  readonly #refusals = new Refusals()
  readonly #strangers = new Strangers()
  readonly #admission: Admission
  readonly #peers: Peers
  readonly #dialling: Dialling
  readonly #trackers: TrackerPost
  readonly #fronts: { readonly front: Front; readonly own: readonly Endpoint[] }[] = []
  #closing: Promise<void> | null = null
  #stopWatch: () => void = () => undefined

  constructor(options: GateOptions) {
    this.#options = options
    const { view, clock } = options
    const onInput = (input: GateInput) => {
      options.onInput(input)
    }
    const policy = () => this.#policy()
    const onRefused = (refusal: Refusal) => {
      if (this.#refusals.admit(refusal, clock.now())) options.onRefused(refusal)
    }
    const onFault = (error: unknown) => options.onFault?.(error)
    const names = new Names(clock, options.resolve)
    this.#admission = new Admission(view, clock, {
      onRefused: () => {
        onRefused({ what: 'proof', detail: 'a request whose proof does not hold' })
      },
      onFault,
    })
    this.#peers = new Peers({ clock, onInput, onRefused, mayTalkTo: (who) => this.#mayTalkTo(who) })
    this.#dialling = new Dialling({
      ...{ policy, names, onRefused, onFault },
      onOpen: ({ carrier, who }, socket) => {
        if (this.#peers.seat(carrier, who, socket)) onInput({ kind: 'dialled', carrier })
        else onInput({ kind: 'dial-failed', carrier, reason: 'busy' })
      },
      onFailed: (carrier, reason) => {
        onInput({ kind: 'dial-failed', carrier, reason })
      },
    })
    this.#trackers = new TrackerPost({
      ...{ policy, names, onRefused, onFault },
      onDatagram: (tracker, bytes) => {
        onInput({ kind: 'datagram', tracker, bytes })
      },
    })
    this.#watch(onRefused)
  }

  get own(): readonly Endpoint[] {
    return this.#fronts.flatMap(({ own }) => own)
  }

  perform(effect: GateEffect): void {
    if (this.#closing !== null) return
    switch (effect.kind) {
      case 'dial':
        this.#dialling.start(effect)
        break
      case 'send':
        this.#peers.send(effect.carrier, effect.bytes)
        break
      case 'close':
        if (!this.#dialling.cancel(effect.carrier)) this.#peers.close(effect.carrier)
        break
      case 'open-oaep':
        this.#apart(this.#openOaep(effect))
        break
      case 'datagram':
        this.#trackers.send(effect.tracker, effect.bytes)
        break
    }
  }

  async listen(endpoint: Endpoint): Promise<Endpoint> {
    const place = splitEndpoint(endpoint)
    if (place === null || isIP(place.host) === 0)
      throw new SottoError('bad-endpoint', 'an IP address and a port')
    if (this.#closing !== null) throw new SottoError('cancelled')
    const { siteSeed, rng, limits = WEB_LIMITS } = this.#options
    // On loopback all visitors come through one local proxy, and share its address.
    const perAddress = scopeOf(place.host) === 'loopback' ? limits.total : limits.perAddress
    const front = await openFront<Proven>({
      ...place,
      site: siteListener(siteSeed, rng),
      limits: { ...limits, perAddress },
      links: {
        examine: (request) => (this.#closing === null ? this.#admission.examine(request) : null),
        onCaller: (proven, socket) => {
          this.#peers.accept(proven, socket)
        },
      },
    })
    const listening = { host: plainIp(front.address.address) ?? place.host, port: front.address.port }
    this.#fronts.push({ front, own: ownEndpoints(listening) })
    return joinEndpoint(listening)
  }

  permitLookup(who: UserId): () => void {
    return this.#strangers.permit(who)
  }

  hold(on: boolean): void {
    this.#peers.hold(on)
  }

  connections(): Promise<ConnectionReport> {
    return reportConnections(() => ({
      listening: this.#fronts.map(({ front }) => front.address.port),
      dialled: this.#dialling.reached,
      udpPorts: this.#trackers.ports(),
      resolvers: resolverAddresses(),
    }))
  }

  traffic(): readonly Traffic[] {
    return this.#peers.traffic()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopWatch()
    this.#dialling.cancelAll()
    await this.#peers.closeAll()
    await Promise.all([...this.#fronts.map(({ front }) => front.close()), this.#trackers.close()])
  }

  #policy(): Policy {
    const { view } = this.#options
    return {
      mode: modeOf(view),
      rows: view.allowed(),
      own: [...this.own, ...(view.self()?.endpoints ?? [])],
      strangers: this.#strangers.now(),
    }
  }

  async #openOaep({ job, ciphertext, label }: Extract<GateEffect, { kind: 'open-oaep' }>): Promise<void> {
    let secret: Uint8Array | null = null
    try {
      secret = await this.#options.vault.openOaep(ciphertext, label)
    } catch {
      // The vault was closed meanwhile; to the other side that looks like any other failure.
    }
    this.#options.onInput({ kind: 'oaep-opened', job, secret })
  }

  /** Nobody waits for this work, and so nobody would hear it fail. */
  #apart(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.onFault?.(error))
  }

  #mayTalkTo(who: UserId): boolean {
    const row = this.#options.view.contact(who)
    return row === undefined ? this.#strangers.has(who) : row.state !== 'blocked'
  }

  #watch(onRefused: (refusal: Refusal) => void): void {
    this.#stopWatch = this.#options.clock.after(WATCH_MS, () => {
      if (this.#peers.size > 0) this.#apart(this.#compareConnections(onRefused))
      this.#watch(onRefused)
    })
  }

  async #compareConnections(onRefused: (refusal: Refusal) => void): Promise<void> {
    const report = await this.connections()
    if (!report.available || this.#closing !== null) return
    for (const { protocol, local, remote, listed } of report.connections) {
      if (!listed) onRefused({ what: 'connection', detail: `${protocol} ${remote ?? local} is not ours` })
    }
  }
}

/** What is not a mode is the ordinary one. */
export function modeOf(view: View): Mode {
  const mode = view.setting('firewall.mode')
  return mode === 'lan' || mode === 'tor' ? mode : 'normal'
}
