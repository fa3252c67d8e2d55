import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SottoError } from '../../foundation/errors.js'
import { Visitors, type VisitorLimits } from './visitors.js'

export interface WebLimits extends VisitorLimits {
  /** Until a request's headers, and the whole request, must have come. Milliseconds, as all of these. */
  readonly headersMs: number
  readonly requestMs: number
  /** How often the two above are looked at. */
  readonly checkMs: number
  readonly keepAliveMs: number
  /** A connection on which nothing moves, such as one that does not read its answer. */
  readonly idleMs: number
}

export const WEB_LIMITS: WebLimits = {
  total: 512,
  perAddress: 32,
  headersMs: 20_000,
  requestMs: 30_000,
  checkMs: 5_000,
  keepAliveMs: 5_000,
  idleMs: 60_000,
}

export interface WebServer {
  readonly server: Server
  readonly visitors: Visitors
}

/** Node's own HTTP server with bounds; what it answers, and when it hangs up, is the same with links on and off. */
export function createWebServer(
  listener: RequestListener,
  limits: WebLimits,
  Request?: typeof IncomingMessage,
): WebServer {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.checkMs,
      keepAliveTimeout: limits.keepAliveMs,
      ...(Request === undefined ? {} : { IncomingMessage: Request }),
    },
    listener,
  )
  server.timeout = limits.idleMs
  const visitors = new Visitors(limits)
  server.on('connection', (socket) => visitors.admit(socket))
  return { server, visitors }
}

/** @throws cannot-listen */
export function listenOn(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      reject(new SottoError('cannot-listen', `${host}:${port}`, { cause }))
    }
    server.once('error', fail)
    server.listen({ host, port }, () => {
      server.removeListener('error', fail)
      resolve(server.address() as AddressInfo)
    })
  })
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}
