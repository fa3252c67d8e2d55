import { plainIp } from './address.js'
import type { Names } from './names.js'
import { maySend, refusalOf, type Grant, type Policy } from './policy.js'
import type { Refusal } from './refusals.js'
import { Udp, type Place } from './udp.js'

export interface TrackerPostOptions {
  policy(): Policy
  readonly names: Names
  onDatagram(tracker: string, bytes: Uint8Array): void
  onRefused(refusal: Refusal): void
  /** A mistake of ours, or records that cannot be read. The datagram is lost, as datagrams may be. */
  onFault(error: unknown): void
}

/** Datagrams to listed trackers and back; what comes from anywhere else is dropped unread. */
export class TrackerPost {
  readonly #options: TrackerPostOptions
  readonly #udp = new Udp((bytes, from) => {
    try {
      this.#receive(bytes, from)
    } catch (error) {
      this.#options.onFault(error)
    }
  })
  /** Trackers by the place a datagram went to. Two trackers may share one. */
  readonly #places = new Map<string, Set<string>>()

  constructor(options: TrackerPostOptions) {
    this.#options = options
  }

  send(tracker: string, bytes: Uint8Array): void {
    const verdict = maySend(this.#options.policy(), tracker)
    if (!verdict.ok) {
      this.#options.onRefused({ what: 'dial', detail: `tracker: ${verdict.reason}` })
      return
    }
    // An address needs no resolver, and keeps its place in the order of effects.
    const ip = plainIp(verdict.host)
    if (ip !== null) this.#sendTo(tracker, { ip, port: verdict.port }, bytes)
    else {
      this.#sendByName(tracker, verdict, bytes).catch((error: unknown) => {
        this.#options.onFault(error)
      })
    }
  }

  ports(): readonly number[] {
    return this.#udp.ports()
  }

  close(): Promise<void> {
    return this.#udp.close()
  }

  async #sendByName(tracker: string, granted: Grant, bytes: Uint8Array): Promise<void> {
    const policy = this.#options.policy()
    const ips = await this.#options.names.lookup(granted.host)
    const ip = ips.find((each) => refusalOf(policy, granted, each) === null)
    if (ip !== undefined) this.#sendTo(tracker, { ip, port: granted.port }, bytes)
    else if (ips.length > 0) this.#options.onRefused({ what: 'name', detail: 'tracker: reserved address' })
  }

  #sendTo(tracker: string, place: Place, bytes: Uint8Array): void {
    const key = keyOf(place)
    this.#places.set(key, (this.#places.get(key) ?? new Set()).add(tracker))
    this.#udp.send(bytes, place)
  }

  #receive(bytes: Uint8Array, from: Place): void {
    const policy = this.#options.policy()
    for (const tracker of this.#places.get(keyOf(from)) ?? []) {
      if (maySend(policy, tracker).ok) this.#options.onDatagram(tracker, bytes)
    }
  }
}

function keyOf({ ip, port }: Place): string {
  return `${ip} ${port}`
}
