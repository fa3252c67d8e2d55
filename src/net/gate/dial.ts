import { createConnection, isIP } from 'node:net'
import { WebSocket } from 'ws'
import { cookieOfProof } from '../links/proof.js'
import { CARRIAGE_OPTIONS } from '../site/carriage-options.js'
import { hostHeaderOf, splitEndpoint } from './address.js'
import type { Endpoint } from '../../events/vocabulary/facts.js'

/** Until the other side's site must have let us in (SPEC § 6.4 gives the whole handshake as long again). */
export const DIAL_TIMEOUT_MS = 20_000

export interface Target {
  /** As on record: what the Host header and the proof say. */
  readonly endpoint: Endpoint
  /** What it resolved to and the policy let pass; nothing is resolved again. */
  readonly ip: string
  readonly path: string
  readonly proof: Uint8Array
}

export interface DialEvents {
  onOpen(socket: WebSocket): void
  /** `not-admitted`: there is a web site, and it stayed one. `unreachable`: nothing answered, or not in time. */
  onFailed(reason: 'not-admitted' | 'unreachable'): void
}

/**
 * Asks for an upgrade with the proof as the cookie. One connection, to that address and no other: no agent, no proxy
 * of the environment, no redirect. The headers say what this is, a Node program; it would be found out as a browser.
 * @returns gives up, as if it had failed
 */
export function dial(target: Target, events: DialEvents, timeoutMs = DIAL_TIMEOUT_MS): () => void {
  const port = splitEndpoint(target.endpoint)?.port ?? 0
  const authority = isIP(target.ip) === 6 ? `[${target.ip}]:${port}` : `${target.ip}:${port}`
  const socket = new WebSocket(new URL(target.path, `ws://${authority}`), {
    ...CARRIAGE_OPTIONS,
    agent: false,
    followRedirects: false,
    handshakeTimeout: timeoutMs,
    headers: headersFor(target),
    createConnection: () => createConnection({ host: target.ip, port }),
  })
  let settled = false
  const fail = (reason: 'not-admitted' | 'unreachable') => {
    socket.terminate()
    if (settled) return
    settled = true
    events.onFailed(reason)
  }
  socket.once('open', () => {
    settled = true
    events.onOpen(socket)
  })
  socket.once('unexpected-response', (request) => {
    request.destroy()
    fail('not-admitted')
  })
  socket.on('error', () => {
    fail('unreachable')
  })
  return () => {
    fail('unreachable')
  }
}

function headersFor({ endpoint, proof }: Target): Record<string, string> {
  return {
    Host: hostHeaderOf(endpoint),
    'User-Agent': 'node',
    Accept: '*/*',
    'Accept-Language': '*',
    'Cache-Control': 'no-cache',
    Cookie: `sid=${cookieOfProof(proof)}`,
  }
}
