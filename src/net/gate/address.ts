import { BlockList, isIP, SocketAddress } from 'node:net'
import type { Endpoint } from '../../events/vocabulary/facts.js'

/** Where an IP address leads: the open network, one's own network, one's own machine, or nowhere a person could be. */
export type Scope = 'public' | 'private' | 'loopback' | 'reserved'

export interface HostPort {
  /** A name or an IP address; an IPv6 address without its brackets. */
  readonly host: string
  readonly port: number
}

const MAX_ENDPOINT = 262
const MAX_PORT = 65535
const HTTP_PORT = 80
const NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i
/** Text that a resolver may take for an IPv4 address though it is not in the usual form (`127.1`, `0x7f000001`). */
const NUMERIC_LABEL = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i

/** `HOST:PORT` with IPv6 in brackets, or null. Port 0 stands for any, which only a listener may ask for. */
export function splitEndpoint(endpoint: Endpoint): HostPort | null {
  if (endpoint.length > MAX_ENDPOINT) return null
  const match = /^(?:\[([^\]]+)\]|([^[\]:]+)):(\d{1,5})$/.exec(endpoint)
  if (match === null) return null
  const [, six, other, digits] = match
  const port = Number(digits)
  if (port > MAX_PORT) return null
  if (six !== undefined) return isIP(six) === 6 && !six.includes('%') ? { host: six, port } : null
  const host = other ?? ''
  if (isIP(host) === 4) return { host, port }
  return NAME.test(host) && !NUMERIC_LABEL.test(host) ? { host: host.toLowerCase(), port } : null
}

export function joinEndpoint({ host, port }: HostPort): Endpoint {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

/** The Host header for an endpoint: as browsers write it, without the port that HTTP implies. */
export function hostHeaderOf(endpoint: Endpoint): string {
  const suffix = `:${HTTP_PORT}`
  return endpoint.endsWith(suffix) ? endpoint.slice(0, -suffix.length) : endpoint
}

/** What a proof is made over (SPEC § 6.2): the Host header in lower case, always with its port. */
export function proofHostOf(header: string): string {
  const host = header.toLowerCase()
  return /:\d+$/.test(host) ? host : `${host}:${HTTP_PORT}`
}

const LOOPBACK = ranges('127.0.0.0/8', '::1/128')
const PRIVATE = ranges('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7')
/**
 * IANA's special-purpose registries: unspecified, link-local, documentation, benchmarks, multicast; the forms of IPv6
 * that carry an IPv4 address inside, because they could lead back to any of the others; and where the clouds keep the
 * credentials of a machine.
 */
const RESERVED = ranges(
  ...['0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4', '::/96', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  ...['100::/64', '2001:db8::/32', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'],
  ...['100.100.100.200/32', '168.63.129.16/32', 'fd00:ec2::254/128'],
)
const MAPPED = '::ffff:'

/** Where an IP address leads; text that is not an IP address leads nowhere (`reserved`). */
export function scopeOf(ip: string): Scope {
  const plain = plainIp(ip)
  if (plain === null) return 'reserved'
  const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6'
  if (LOOPBACK.check(plain, family)) return 'loopback'
  if (RESERVED.check(plain, family)) return 'reserved'
  return PRIVATE.check(plain, family) ? 'private' : 'public'
}

/** The one way of writing an IP address; an IPv4 address that a dual-stack socket shows as IPv6 in its own form. */
export function plainIp(ip: string): string | null {
  if (isIP(ip) === 4) return ip
  if (isIP(ip) !== 6 || ip.includes('%')) return null
  const { address } = new SocketAddress({ address: ip, family: 'ipv6' })
  return address.startsWith(MAPPED) && isIP(address.slice(MAPPED.length)) === 4
    ? address.slice(MAPPED.length)
    : address
}

/** Two private addresses of one block: the same /24, or /64 of IPv6. What a home or an office hands out is that small. */
export function sameBlock(one: string, other: string): boolean {
  const [a, b] = [plainIp(one), plainIp(other)]
  if (a === null || b === null || isIP(a) !== isIP(b)) return false
  return ranges(`${a}/${isIP(a) === 4 ? 24 : 64}`).check(b, isIP(b) === 4 ? 'ipv4' : 'ipv6')
}

function ranges(...cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', bits = ''] = cidr.split('/')
    list.addSubnet(network, Number(bits), isIP(network) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}
