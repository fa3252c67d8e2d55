import type { RawData, WebSocket } from 'ws'
import type { Clock } from '../clock.js'

/** A peer that does not read is cut off when this much waits for it. */
export const MAX_BUFFERED_BYTES = 1024 * 1024
/** A peer that has given no sign of life for two of these is gone. */
export const HEARTBEAT_MS = 30_000
/** After a connection is made its first message must come within this time. */
export const FIRST_MESSAGE_MS = 20_000
/** How long a goodbye may take. */
const CLOSE_MS = 1_000

export interface CarriageEvents {
  onMessage(bytes: Buffer): void
  /** Once, whoever ended it. */
  onClosed(): void
  /** The peer sent what no client of ours sends; it is being closed for that. */
  onRefused(detail: string): void
}

/** One WebSocket with a peer: binary messages, bounded both ways, noticed when dead. */
export class Carriage {
  readonly #socket: WebSocket
  readonly #clock: Clock
  readonly #events: CarriageEvents
  #silentBeats = 0
  #cancelBeat: () => void = () => undefined
  #cancelFirst: () => void
  #ended = false
  bytesIn = 0
  bytesOut = 0

  constructor(socket: WebSocket, clock: Clock, events: CarriageEvents) {
    this.#socket = socket
    this.#clock = clock
    this.#events = events
    this.#cancelFirst = clock.after(FIRST_MESSAGE_MS, () => {
      this.#refuse('no message came')
    })
    socket.on('message', (data, isBinary) => {
      this.#receive(data, isBinary)
    })
    socket.on('pong', () => {
      this.#silentBeats = 0
    })
    socket.on('error', (error) => {
      if (error.name === 'RangeError') events.onRefused('a frame out of bounds')
    })
    socket.once('close', () => {
      this.#end()
    })
    this.#beat()
  }

  /** False when the peer was cut off or is gone; what could not be sent is for the layer above to send again. */
  send(bytes: Uint8Array): boolean {
    if (this.#ended || this.#socket.readyState !== this.#socket.OPEN) return false
    if (this.#socket.bufferedAmount + bytes.length > MAX_BUFFERED_BYTES) {
      this.#refuse('does not read')
      return false
    }
    this.bytesOut += bytes.length
    this.#socket.send(bytes)
    return true
  }

  hold(on: boolean): void {
    if (on) this.#socket.pause()
    else this.#socket.resume()
  }

  /** Sends what waits and says goodbye; ends by force when that takes too long. */
  close(): void {
    if (this.#ended) return
    this.hold(false)
    this.#socket.close()
    this.#clock.after(CLOSE_MS, () => {
      this.terminate()
    })
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#ended) return
    if (!isBinary || !Buffer.isBuffer(data)) {
      this.#refuse('a frame that is not binary')
      return
    }
    this.#silentBeats = 0
    this.#cancelFirst()
    this.bytesIn += data.length
    this.#events.onMessage(data)
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.after(HEARTBEAT_MS, () => {
      if (this.#silentBeats >= 2) {
        this.terminate()
        return
      }
      // Held peers are not listened to: their silence is ours.
      if (!this.#socket.isPaused) this.#silentBeats++
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
      this.#beat()
    })
  }

  #refuse(detail: string): void {
    this.#events.onRefused(detail)
    this.terminate()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelBeat()
    this.#cancelFirst()
    this.#events.onClosed()
  }
}
