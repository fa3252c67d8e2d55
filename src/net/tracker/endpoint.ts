import { isIP } from 'node:net'
import type { Endpoint } from '../../events/vocabulary/facts.js'
import { concat, u16, u8, utf8 } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import { joinEndpoint, plainIp, splitEndpoint } from '../gate/address.js'

/** The first byte of an endpoint on the wire (SPEC § 8.2). */
const CODE = { name: 1, ipv4: 4, ipv6: 6 } as const
const IPV4_BYTES = 4
const IPV6_GROUPS = 8

/**
 * An endpoint on the wire: `4 ‖ bytes[4] ‖ port`, `6 ‖ bytes[16] ‖ port` or `1 ‖ lp8(name) ‖ port`.
 * @throws bad-endpoint for anything that is not HOST:PORT, and for port 0
 */
export function encodeEndpoint(endpoint: Endpoint): Uint8Array {
  const split = splitEndpoint(endpoint)
  if (split === null || split.port === 0) throw new SottoError('bad-endpoint')
  const ip = plainIp(split.host)
  return concat(ip === null ? nameBytes(split.host) : ipBytes(ip), u16(split.port))
}

/**
 * Exactly one endpoint, in its one way of writing: names in lower case, IPv6 compressed and in brackets.
 * @throws malformed
 */
export function decodeEndpoint(bytes: Uint8Array): Endpoint {
  const reader = new Reader(bytes)
  const endpoint = readEndpoint(reader)
  reader.end()
  return endpoint
}

/** @throws malformed, also for a name that is none and for port 0: nobody is led anywhere by half an address */
export function readEndpoint(reader: Reader): Endpoint {
  const endpoint = joinEndpoint({ host: readHost(reader), port: reader.u16() })
  const split = splitEndpoint(endpoint)
  if (split === null || split.port === 0) throw new SottoError('malformed', 'endpoint')
  return endpoint
}

/**
 * The IP address of a sender, as the system tells it, for hashing: 4 or 16 bytes. An IPv4 address mapped into IPv6 counts
 * as IPv4, and the zone of a link-local address does not count.
 * @throws bad-endpoint
 */
export function addressBytes(ip: string): Uint8Array {
  const plain = plainIp(ip.replace(/%.*$/, ''))
  if (plain === null) throw new SottoError('bad-endpoint')
  return ipBytes(plain).subarray(1)
}

function readHost(reader: Reader): string {
  const code = reader.u8()
  if (code === CODE.ipv4) return [...reader.bytes(IPV4_BYTES)].join('.')
  if (code === CODE.name) return readName(reader)
  if (code !== CODE.ipv6) throw new SottoError('malformed', 'kind of endpoint')
  const groups = Array.from({ length: IPV6_GROUPS }, () => reader.u16().toString(16))
  const plain = plainIp(groups.join(':'))
  if (plain === null) throw new SottoError('malformed', 'endpoint')
  return plain
}

function readName(reader: Reader): string {
  const name = reader.lp8().toString('latin1')
  // An address dressed as a name would be written in two ways.
  if (isIP(name) !== 0 || name !== name.toLowerCase()) throw new SottoError('malformed', 'host name')
  return name
}

function nameBytes(host: string): Uint8Array {
  const name = utf8(host)
  return concat(u8(CODE.name), u8(name.length), name)
}

function ipBytes(ip: string): Uint8Array {
  if (isIP(ip) === 4) return Uint8Array.of(CODE.ipv4, ...ip.split('.').map(Number))
  return concat(u8(CODE.ipv6), ...ipv6Groups(ip).map(u16))
}

/** RFC 5952 text, as `plainIp` gives it, into its eight groups. */
function ipv6Groups(ip: string): number[] {
  const [head = '', tail] = ip.split('::')
  const front = groupsOf(head)
  const back = groupsOf(tail ?? '')
  const gap = tail === undefined ? 0 : IPV6_GROUPS - front.length - back.length
  return [...front, ...Array.from({ length: gap }, () => 0), ...back]
}

function groupsOf(text: string): number[] {
  return text === ''
    ? []
    : text.split(':').flatMap((group) => (group.includes('.') ? dotted(group) : [parseInt(group, 16)]))
}

/** The last two groups may be written as an IPv4 address (RFC 4291 § 2.2). */
function dotted(ip: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}
