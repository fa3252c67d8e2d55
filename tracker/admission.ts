import { hash } from '../src/foundation/crypto.js'
import type { Rng } from '../src/foundation/rng.js'
import { addressBytes } from '../src/net/tracker/endpoint.js'
import { type Allowance, TokenTable } from './token-table.js'

/** What is counted apart. `unproven`: hellos and sessions that do not open, whose address may be spoofed. */
export type Charge = 'unproven' | 'request' | 'put' | 'creation'

/** Allowances for one host; a network may do `NETWORK_FACTOR` times as much. */
export type Allowances = Readonly<Record<Charge, Allowance>>

export const DEFAULT_ALLOWANCES: Allowances = {
  unproven: { rate: 20, burst: 200 },
  request: { rate: 100, burst: 1000 },
  put: { rate: 20, burst: 200 },
  creation: { rate: 5, burst: 200 },
}
export const DEFAULT_SLOTS = 1 << 16
const NETWORK_FACTOR = 4
const SALT_BYTES = 16
const SALT_MS = 86_400_000
const TAG_BYTES = 8
/** Prefix lengths in bytes: /32 and /24 of IPv4, /64 and /48 of IPv6. */
const PREFIX = { ipv4: { host: 4, network: 3 }, ipv6: { host: 8, network: 6 } } as const
const IPV4_BYTES = 4

interface Pair {
  readonly host: TokenTable
  readonly network: TokenTable
}

/**
 * Who may do how much. Addresses exist here only as tags under a salt that is drawn each day and kept in RAM: nothing
 * tells afterwards who asked.
 */
export class Admission {
  readonly #tables: Readonly<Record<Charge, Pair>>
  #salt: Buffer
  #day: number

  constructor(allowances: Allowances, slots: number, now: number, rng: Rng) {
    const pair = (charge: Charge): Pair => {
      const { rate, burst } = allowances[charge]
      const network = { rate: rate * NETWORK_FACTOR, burst: burst * NETWORK_FACTOR }
      return { host: new TokenTable(slots, { rate, burst }), network: new TokenTable(slots, network) }
    }
    this.#tables = {
      ...{ unproven: pair('unproven'), request: pair('request') },
      ...{ put: pair('put'), creation: pair('creation') },
    }
    this.#salt = rng.bytes(SALT_BYTES)
    this.#day = Math.floor(now / SALT_MS)
  }

  /** False when the sender or its network has used up its allowance; then nothing is charged. */
  admit(charge: Charge, address: string, cost: number, now: number, rng: Rng): boolean {
    this.#freshSalt(now, rng)
    const { host, network } = this.#tables[charge]
    const tags = this.#tags(address)
    if (!host.has(tags.host, cost, now) || !network.has(tags.network, cost, now)) return false
    host.spend(tags.host, cost, now)
    network.spend(tags.network, cost, now)
    return true
  }

  #freshSalt(now: number, rng: Rng): void {
    const day = Math.floor(now / SALT_MS)
    if (day === this.#day) return
    this.#day = day
    this.#salt = rng.bytes(SALT_BYTES)
  }

  #tags(address: string): { host: Buffer; network: Buffer } {
    const bytes = addressBytes(address)
    const { host, network } = bytes.length === IPV4_BYTES ? PREFIX.ipv4 : PREFIX.ipv6
    return { host: this.#tag(bytes.subarray(0, host)), network: this.#tag(bytes.subarray(0, network)) }
  }

  #tag(prefix: Uint8Array): Buffer {
    return hash('sotto/tracker-bucket/1', this.#salt, prefix).subarray(0, TAG_BYTES)
  }
}
