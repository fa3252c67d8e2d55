import { getServers, promises as dns } from 'node:dns'
import type { Clock } from '../clock.js'
import { plainIp } from './address.js'

/** All IP addresses of a name, in the order the system prefers. */
export type Resolve = (name: string) => Promise<readonly string[]>

const FOUND_MS = 60_000
const NOT_FOUND_MS = 10_000
const MAX_NAMES = 256

/** The system's own resolver, hosts file included. The only place in sotto that asks it. */
export const systemResolve: Resolve = async (name) => {
  const found = await dns.lookup(name, { all: true, verbatim: true })
  return found.map(({ address }) => address)
}

/** Where the system's resolver listens: this process may be seen talking to it while a name is asked for. */
export function resolverAddresses(): readonly string[] {
  return getServers().map(
    (server) => plainIp(/^\[(.+)\]/.exec(server)?.[1] ?? server.replace(/:\d+$/, '')) ?? server,
  )
}

/** Names that the policy has granted, and what they mean for the next minute. Whoever calls has asked the policy. */
export class Names {
  readonly #clock: Clock
  readonly #resolve: Resolve
  readonly #known = new Map<string, { readonly until: number; readonly ips: Promise<readonly string[]> }>()

  constructor(clock: Clock, resolve: Resolve = systemResolve) {
    this.#clock = clock
    this.#resolve = resolve
  }

  /** Empty when there is no such name or nobody answers. */
  lookup(name: string): Promise<readonly string[]> {
    const known = this.#known.get(name)
    if (known !== undefined && known.until > this.#clock.now()) return known.ips
    const ips = this.#ask(name)
    this.#keep(name, ips, FOUND_MS)
    return ips
  }

  async #ask(name: string): Promise<readonly string[]> {
    try {
      const ips = (await this.#resolve(name)).flatMap((ip) => plainIp(ip) ?? [])
      if (ips.length > 0) return ips
    } catch {
      // A name that cannot be asked for now is like one that does not exist: tried again soon.
    }
    this.#keep(name, Promise.resolve([]), NOT_FOUND_MS)
    return []
  }

  #keep(name: string, ips: Promise<readonly string[]>, forMs: number): void {
    this.#known.delete(name)
    this.#known.set(name, { until: this.#clock.now() + forMs, ips })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_NAMES) break
      this.#known.delete(oldest)
    }
  }
}
