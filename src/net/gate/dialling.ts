import type { WebSocket } from 'ws'
import type { CarrierId, Effect } from '../effects.js'
import { joinEndpoint, plainIp } from './address.js'
import { dial } from './dial.js'
import type { Names } from './names.js'
import { mayDial, refusalOf, type Grant, type Policy, type Verdict } from './policy.js'
import type { Refusal } from './refusals.js'

export type DialEffect = Extract<Effect, { kind: 'dial' }>
/** Stable words; the node decides by them whether another address is worth trying. */
export type DialFailure = 'gate-denied' | 'busy' | 'no-such-name' | 'unreachable' | 'not-admitted'

export interface DiallingOptions {
  policy(): Policy
  readonly names: Names
  onOpen(effect: DialEffect, socket: WebSocket): void
  onFailed(carrier: CarrierId, reason: DialFailure): void
  onRefused(refusal: Refusal): void
  /** A mistake of ours, or records that cannot be read. The dial has failed. */
  onFault(error: unknown): void
}

const MAX_DIALS = 64
/** Addresses of one name that are tried in turn. */
const MAX_TRIES = 3
const MAX_REMEMBERED = 1024

/** From the wish to dial to an open connection: policy, name, policy again, then that one address. */
export class Dialling {
  readonly #options: DiallingOptions
  /** Dials under way, with how to give them up. */
  readonly #under = new Map<CarrierId, () => void>()
  /** Where dials went, as the system lists them; oldest first. */
  readonly reached = new Set<string>()

  constructor(options: DiallingOptions) {
    this.#options = options
  }

  start(effect: DialEffect): void {
    const { carrier, who } = effect
    const verdict = this.#judge(effect)
    if (verdict === null) {
      this.#options.onFailed(carrier, 'gate-denied')
    } else if (!verdict.ok) {
      this.#options.onRefused({ what: 'dial', detail: verdict.reason, id: who })
      this.#options.onFailed(carrier, 'gate-denied')
    } else if (this.#under.size >= MAX_DIALS) {
      this.#options.onFailed(carrier, 'busy')
    } else {
      this.#under.set(carrier, () => undefined)
      this.#reach(effect, verdict).catch((error: unknown) => {
        this.#options.onFault(error)
        this.#fail(carrier, 'gate-denied')
      })
    }
  }

  /** Gives up a dial under way, without an answer. False when there is none. */
  cancel(carrier: CarrierId): boolean {
    const giveUp = this.#under.get(carrier)
    if (giveUp === undefined) return false
    this.#under.delete(carrier)
    giveUp()
    return true
  }

  cancelAll(): void {
    for (const carrier of [...this.#under.keys()]) this.cancel(carrier)
  }

  /** Null when the policy cannot be read: then nothing is permitted. */
  #judge({ who, endpoint }: DialEffect): Verdict | null {
    try {
      return mayDial(this.#options.policy(), who, endpoint)
    } catch (error) {
      this.#options.onFault(error)
      return null
    }
  }

  async #reach(effect: DialEffect, granted: Grant): Promise<void> {
    const literal = plainIp(granted.host)
    const found = literal === null ? await this.#options.names.lookup(granted.host) : [literal]
    if (!this.#under.has(effect.carrier)) return
    const policy = this.#options.policy()
    const ips = found.filter((ip) => refusalOf(policy, granted, ip) === null).slice(0, MAX_TRIES)
    if (ips.length > 0) {
      this.#try(effect, granted, ips)
    } else if (found.length === 0) {
      this.#fail(effect.carrier, 'no-such-name')
    } else {
      this.#options.onRefused({ what: 'name', detail: 'the name leads to a refused address', id: effect.who })
      this.#fail(effect.carrier, 'gate-denied')
    }
  }

  #try(effect: DialEffect, granted: Grant, ips: readonly string[]): void {
    const [ip, ...others] = ips
    if (ip === undefined) {
      this.#fail(effect.carrier, 'unreachable')
      return
    }
    this.#remember(joinEndpoint({ host: ip, port: granted.port }))
    const giveUp = dial(
      { ...effect, ip },
      {
        onOpen: (socket) => {
          if (this.#under.delete(effect.carrier)) this.#options.onOpen(effect, socket)
          else socket.terminate()
        },
        onFailed: (reason) => {
          if (!this.#under.has(effect.carrier)) return
          if (reason === 'unreachable') this.#try(effect, granted, others)
          else this.#fail(effect.carrier, reason)
        },
      },
    )
    this.#under.set(effect.carrier, giveUp)
  }

  #fail(carrier: CarrierId, reason: DialFailure): void {
    if (this.#under.delete(carrier)) this.#options.onFailed(carrier, reason)
  }

  #remember(endpoint: string): void {
    this.reached.delete(endpoint)
    this.reached.add(endpoint)
    for (const oldest of this.reached) {
      if (this.reached.size <= MAX_REMEMBERED) break
      this.reached.delete(oldest)
    }
  }
}
