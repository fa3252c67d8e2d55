import { networkInterfaces } from 'node:os'
import type { Endpoint } from '../../events/vocabulary/facts.js'
import { joinEndpoint, plainIp, scopeOf, type HostPort } from './address.js'

const ALL_IPV4 = '0.0.0.0'
const ALL = '::'

/** Where a listener can be reached: its own address, or, for a wildcard, those of this machine's interfaces. */
export function ownEndpoints(listener: HostPort): Endpoint[] {
  if (listener.host !== ALL_IPV4 && listener.host !== ALL) return [joinEndpoint(listener)]
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter(
      (each) => each !== undefined && !each.internal && (listener.host === ALL || each.family === 'IPv4'),
    )
    .flatMap((each) => plainIp(each?.address ?? '') ?? [])
  const reachable = addresses.filter((ip) => ['public', 'private'].includes(scopeOf(ip)))
  return reachable.map((host) => joinEndpoint({ host, port: listener.port }))
}
