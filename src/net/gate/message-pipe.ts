import type { WebSocket } from 'ws'
import { SottoError } from '../../foundation/errors.js'
import type { Clock } from '../clock.js'

/** Messages that came and were not taken yet; beyond that the socket is not read, and the other side waits. */
const MAX_WAITING = 8
const BEAT_MS = 15_000
/** Beats without a sign of life from the other side. */
const MAX_SILENT_BEATS = 4
const CLOSE_MS = 1_000

/** One WebSocket as a pipe with back-pressure both ways, for bulk: binary messages, one after the other. */
export interface Pipe {
  /** Resolves when the system has taken it over. @throws connection-lost */
  send(bytes: Uint8Array): Promise<void>
  /** The next message. @throws connection-lost when there will be none */
  receive(): Promise<Buffer>
  /** Says goodbye, after all that was sent. Idempotent. */
  close(): Promise<void>
}

/** Takes the socket over. Its other end is cut off when it sends what is not binary, or gives no sign of life for a minute. */
export class SocketPipe implements Pipe {
  readonly #socket: WebSocket
  readonly #clock: Clock
  readonly #waiting: Buffer[] = []
  #taker: { resolve(bytes: Buffer): void; reject(error: Error): void } | null = null
  #silentBeats = 0
  #cancelBeat: () => void = () => undefined
  #closed = false

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    socket.on('message', (data, isBinary) => {
      if (isBinary && Buffer.isBuffer(data)) this.#take(data)
      else socket.terminate()
    })
    socket.on('pong', () => {
      this.#silentBeats = 0
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#end()
    })
    this.#beat()
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(lost())
      else this.#socket.send(bytes, (error) => (error ? reject(lost(error)) : resolve()))
    })
  }

  receive(): Promise<Buffer> {
    const next = this.#waiting.shift()
    if (this.#waiting.length < MAX_WAITING && this.#socket.isPaused) this.#socket.resume()
    if (next !== undefined) return Promise.resolve(next)
    if (this.#closed) return Promise.reject(lost())
    return new Promise((resolve, reject) => (this.#taker = { resolve, reject }))
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#socket.resume()
      this.#socket.close()
      this.#clock.after(CLOSE_MS, () => this.#socket.terminate(), true)
    })
  }

  #take(bytes: Buffer): void {
    this.#silentBeats = 0
    const taker = this.#taker
    this.#taker = null
    if (taker !== null) taker.resolve(bytes)
    else this.#waiting.push(bytes)
    if (this.#waiting.length >= MAX_WAITING) this.#socket.pause()
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.after(BEAT_MS, () => {
      // Who is not read from cannot be heard: that silence is ours.
      if (!this.#socket.isPaused && ++this.#silentBeats > MAX_SILENT_BEATS) this.#socket.terminate()
      else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
      this.#beat()
    })
  }

  #end(): void {
    this.#closed = true
    this.#cancelBeat()
    this.#taker?.reject(lost())
    this.#taker = null
  }
}

function lost(cause?: Error): SottoError {
  return new SottoError('connection-lost', undefined, cause === undefined ? {} : { cause })
}
