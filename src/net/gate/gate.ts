import { isIP } from 'node:net'
import type { WebSocket } from 'ws'
import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { View } from '../../projections/view.js'
import type { Clock } from '../clock.js'
import type { CarrierId, Effect, Input, Proven } from '../effects.js'
import { openFront, type Front } from '../site/front.js'
import { siteListener } from '../site/site.js'
import { WEB_LIMITS, type WebLimits } from '../site/web-server.js'
import { joinEndpoint, plainIp, scopeOf, splitEndpoint } from './address.js'
import { Admission } from './admission.js'
import { CarriageTable, type Traffic } from './carriage-table.js'
import { Carriage } from './carriage.js'
import { reportConnections, type ConnectionReport } from './connections.js'
import { Dialling } from './dialling.js'
import { Names, resolverAddresses, type Resolve } from './names.js'
import { ownEndpoints } from './own-addresses.js'
import type { Mode, Policy } from './policy.js'
import { PrivateOperations } from './private-operations.js'
import { Refusals, type Refusal } from './refusals.js'
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
  readonly #carriages = new CarriageTable()
  readonly #strangers = new Map<UserId, number>()
  readonly #admission: Admission
  readonly #dialling: Dialling
  readonly #trackers: TrackerPost
  readonly #private: PrivateOperations
  readonly #fronts: { readonly front: Front; readonly own: readonly Endpoint[] }[] = []
  #acceptedCarriers = 0
  #held = false
  #closing: Promise<void> | null = null
  #stopWatch: () => void = () => undefined

  constructor(options: GateOptions) {
    this.#options = options
    const { view, clock, vault } = options
    const policy = () => this.#policy()
    const onRefused = (refusal: Refusal) => {
      this.#refuse(refusal)
    }
    const names = new Names(clock, options.resolve)
    this.#admission = new Admission(view, clock, () => {
      onRefused({ what: 'proof', detail: 'a request whose proof does not hold' })
    })
    this.#dialling = new Dialling({
      ...{ policy, names, onRefused },
      onOpen: ({ carrier, who }, socket) => {
        if (this.#seat(carrier, who, socket)) this.#input({ kind: 'dialled', carrier })
        else this.#input({ kind: 'dial-failed', carrier, reason: 'busy' })
      },
      onFailed: (carrier, reason) => {
        this.#input({ kind: 'dial-failed', carrier, reason })
      },
    })
    this.#trackers = new TrackerPost({
      ...{ policy, names, onRefused },
      onDatagram: (tracker, bytes) => {
        this.#input({ kind: 'datagram', tracker, bytes })
      },
    })
    this.#private = new PrivateOperations(vault, (job, secret) => {
      this.#input({ kind: 'oaep-opened', job, secret })
    })
    this.#watch()
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
        this.#send(effect.carrier, effect.bytes)
        break
      case 'close':
        if (!this.#dialling.cancel(effect.carrier)) this.#carriages.get(effect.carrier)?.carriage.close()
        break
      case 'open-oaep':
        this.#private.start(effect.job, effect.ciphertext, effect.label)
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
          this.#accept(proven, socket)
        },
      },
    })
    const listening = { host: plainIp(front.address.address) ?? place.host, port: front.address.port }
    this.#fronts.push({ front, own: ownEndpoints(listening) })
    return joinEndpoint(listening)
  }

  permitLookup(who: UserId): () => void {
    this.#strangers.set(who, (this.#strangers.get(who) ?? 0) + 1)
    let permitted = true
    return () => {
      if (!permitted) return
      permitted = false
      const left = (this.#strangers.get(who) ?? 1) - 1
      if (left > 0) this.#strangers.set(who, left)
      else this.#strangers.delete(who)
    }
  }

  hold(on: boolean): void {
    if (this.#held === on) return
    this.#held = on
    this.#carriages.hold(on)
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
    return this.#carriages.traffic()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopWatch()
    this.#dialling.cancelAll()
    await this.#carriages.closeAll()
    await Promise.all([...this.#fronts.map(({ front }) => front.close()), this.#trackers.close()])
  }

  #policy(): Policy {
    const { view } = this.#options
    return {
      mode: modeOf(view),
      rows: view.allowed(),
      own: [...this.own, ...(view.self()?.endpoints ?? [])],
      strangers: new Set(this.#strangers.keys()),
    }
  }

  #accept(proven: Proven, socket: WebSocket): void {
    const carrier = -++this.#acceptedCarriers
    const seated = this.#seat(carrier, proven.kind === 'contact' ? proven.who : null, socket)
    if (seated) this.#input({ kind: 'accepted', carrier, proven })
  }

  /** False, and the connection is cut, when this person has too many already. */
  #seat(carrier: CarrierId, who: UserId | null, socket: WebSocket): boolean {
    if (this.#closing !== null || !this.#carriages.hasRoomFor(who)) {
      socket.terminate()
      return false
    }
    const carriage = new Carriage(socket, this.#options.clock, {
      onMessage: (bytes) => {
        this.#input({ kind: 'message', carrier, bytes })
      },
      onClosed: () => {
        this.#carriages.remove(carrier)
        this.#input({ kind: 'closed', carrier })
      },
      onRefused: (detail) => {
        this.#refuse({ what: 'frame', detail, ...(who === null ? {} : { id: who }) })
      },
    })
    this.#carriages.add(carrier, who, carriage)
    if (this.#held) carriage.hold(true)
    return true
  }

  #send(carrier: CarrierId, bytes: Uint8Array): void {
    const seat = this.#carriages.get(carrier)
    if (seat === undefined) return
    if (seat.who === null || this.#mayTalkTo(seat.who)) {
      seat.carriage.send(bytes)
      return
    }
    this.#refuse({ what: 'frame', detail: 'no longer a contact', id: seat.who })
    seat.carriage.terminate()
  }

  /** A link outlives neither block nor removal. */
  #mayTalkTo(who: UserId): boolean {
    const row = this.#options.view.contact(who)
    return row === undefined ? this.#strangers.has(who) : row.state !== 'blocked'
  }

  #input(input: GateInput): void {
    this.#options.onInput(input)
  }

  #refuse(refusal: Refusal): void {
    if (this.#refusals.admit(refusal, this.#options.clock.now())) this.#options.onRefused(refusal)
  }

  #watch(): void {
    this.#stopWatch = this.#options.clock.after(WATCH_MS, () => {
      if (this.#carriages.size > 0) void this.#compareConnections()
      this.#watch()
    })
  }

  async #compareConnections(): Promise<void> {
    const report = await this.connections()
    if (!report.available || this.#closing !== null) return
    for (const { protocol, local, remote, listed } of report.connections) {
      if (!listed) this.#refuse({ what: 'connection', detail: `${protocol} ${remote ?? local} is not ours` })
    }
  }
}

function modeOf(view: View): Mode {
  const mode = view.setting('firewall.mode')
  return mode === 'lan' || mode === 'tor' ? mode : 'normal'
}
