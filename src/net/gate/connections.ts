import type { Endpoint } from '../../events/vocabulary/facts.js'
import { joinEndpoint, type HostPort } from './address.js'
import { ownSockets, type SystemSocket } from './own-sockets.js'

/** A socket of this process, as the system itself reports it. */
export interface OwnConnection {
  readonly protocol: 'tcp' | 'udp'
  readonly local: Endpoint
  /** Null for a listener or an unconnected socket. */
  readonly remote: Endpoint | null
  /** The policy knows why it is there. */
  readonly listed: boolean
}

export type ConnectionReport =
  | { readonly available: false; readonly reason: string }
  | { readonly available: true; readonly connections: readonly OwnConnection[] }

/** What the gate itself has opened, and so expects to find. */
export interface Expected {
  /** Ports of our listeners: whoever comes in there is a visitor or a caller. */
  readonly listening: readonly number[]
  /** Addresses that dials went to. */
  readonly dialled: ReadonlySet<Endpoint>
  readonly udpPorts: readonly number[]
  /** The system's resolver. */
  readonly resolvers: readonly string[]
}

const DNS_PORT = 53

/** The process's own sockets beside what the gate opened. What is not listed got past the gate. */
export async function reportConnections(expected: () => Expected): Promise<ConnectionReport> {
  const sockets = await ownSockets()
  if (sockets === null)
    return { available: false, reason: 'this system does not list the sockets of a process' }
  const known = expected()
  const connections = sockets.map((socket) => ({
    protocol: socket.protocol,
    local: joinEndpoint(socket.local),
    remote: socket.remote === null ? null : joinEndpoint(socket.remote),
    listed: isExpected(socket, known),
  }))
  return { available: true, connections }
}

/** Pure: has the gate opened this? */
export function isExpected(socket: SystemSocket, expected: Expected): boolean {
  const { protocol, local, remote } = socket
  if (remote !== null && isResolver(remote, expected)) return true
  if (protocol === 'udp') return remote === null && expected.udpPorts.includes(local.port)
  if (expected.listening.includes(local.port)) return true
  return remote !== null && expected.dialled.has(joinEndpoint(remote))
}

function isResolver(remote: HostPort, { resolvers }: Expected): boolean {
  return remote.port === DNS_PORT && resolvers.includes(remote.host)
}
