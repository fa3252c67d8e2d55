import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { CARRIAGE_OPTIONS } from './carriage-options.js'
import { hiddenUpgrade, type Examine } from './hidden-upgrade.js'
import { closeServer, createWebServer, listenOn, WEB_LIMITS, type WebLimits } from './web-server.js'

export interface FrontOptions<Proved extends object> {
  readonly host: string
  /** 0 for any. */
  readonly port: number
  readonly site: RequestListener
  readonly limits?: WebLimits
  /** Null switches links off: then it is the web site and nothing else. */
  readonly links: {
    readonly examine: Examine<Proved>
    /** A caller has proved itself and is on WebSocket now. */
    onCaller(proved: Proved, socket: WebSocket): void
  } | null
}

export interface Front {
  readonly address: AddressInfo
  readonly visitors: number
  close(): Promise<void>
}

/**
 * The web site at which those who prove a secret are let through (SPEC § 6.1, 6.2).
 * @throws cannot-listen
 */
export async function openFront<Proved extends object>(options: FrontOptions<Proved>): Promise<Front> {
  const { links, site, limits = WEB_LIMITS } = options
  const hidden = links === null ? null : hiddenUpgrade(links.examine)
  const { server, visitors } = createWebServer(site, limits, hidden?.Request)
  const callers = new Set<WebSocket>()
  if (links !== null && hidden !== null) {
    const carrier = new WebSocketServer({ noServer: true, clientTracking: false, ...CARRIAGE_OPTIONS })
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const proved = hidden.proved(request)
      if (proved === undefined) return socket.destroy()
      visitors.release(socket)
      carrier.handleUpgrade(request, socket, head, (webSocket) => {
        // Whoever it is handed to may let it go at once, and what a caller sends must never be an error that nobody hears.
        webSocket.on('error', () => undefined)
        callers.add(webSocket)
        webSocket.once('close', () => callers.delete(webSocket))
        links.onCaller(proved, webSocket)
      })
    })
  }
  const address = await listenOn(server, options.host, options.port)
  return {
    address,
    get visitors() {
      return visitors.size
    },
    async close() {
      for (const caller of callers) caller.terminate()
      await closeServer(server)
    },
  }
}
