import { createSocket, type Socket } from 'node:dgram'
import { isIP } from 'node:net'
import { plainIp } from './address.js'

/** SPEC § 8.4: nothing longer is sent or listened to. */
export const MAX_DATAGRAM_BYTES = 1232
const CLOSE_MS = 500

export interface Place {
  readonly ip: string
  readonly port: number
}
/** From anywhere: whoever gets it decides whom it listens to. */
export type OnDatagram = (bytes: Buffer, from: Place) => void

/** One socket for each family of IP, opened when first needed. Datagrams may be lost, and so are errors. */
export class Udp {
  readonly #onDatagram: OnDatagram
  readonly #sockets = new Map<'udp4' | 'udp6', Socket>()
  readonly #sending = new Set<Promise<void>>()
  #closed = false

  constructor(onDatagram: OnDatagram) {
    this.#onDatagram = onDatagram
  }

  send(bytes: Uint8Array, to: Place): void {
    if (this.#closed || bytes.length > MAX_DATAGRAM_BYTES) return
    const socket = this.#socket(isIP(to.ip) === 6 ? 'udp6' : 'udp4')
    const sent = new Promise<void>((resolve) => {
      socket.send(bytes, to.port, to.ip, () => {
        resolve()
      })
    })
    this.#sending.add(sent)
    void sent.then(() => this.#sending.delete(sent))
  }

  /** Our own ports, to be told apart in the system's list. */
  ports(): readonly number[] {
    return [...this.#sockets.values()].flatMap((socket) => {
      try {
        return [socket.address().port]
      } catch {
        return [] // not bound yet
      }
    })
  }

  /** What was given to be sent is sent first. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))
    await Promise.race([Promise.all(this.#sending), late])
    clearTimeout(timer)
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }

  #socket(family: 'udp4' | 'udp6'): Socket {
    const open = this.#sockets.get(family)
    if (open !== undefined) return open
    const socket = createSocket({ type: family, ...(family === 'udp6' ? { ipv6Only: true } : {}) })
    this.#sockets.set(family, socket)
    socket.on('message', (bytes, from) => {
      const ip = plainIp(from.address)
      if (ip !== null && bytes.length <= MAX_DATAGRAM_BYTES) this.#onDatagram(bytes, { ip, port: from.port })
    })
    socket.on('error', () => {
      // The next datagram opens a new one.
      if (this.#sockets.get(family) !== socket) return
      this.#sockets.delete(family)
      socket.close()
    })
    return socket
  }
}
