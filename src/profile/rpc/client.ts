import { type Socket, connect } from 'node:net'
import { dirname } from 'node:path'
import { SottoError, errorFromCode } from '../../foundation/errors.js'
import { LineCutter, lineOf } from './lines.js'
import { type Response, parseResponse } from './messages.js'
import { isPrivate } from './socket-directory.js'

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
  event(event: unknown): void
  readonly room?: (() => Promise<void>) | undefined
}

/** A command's end of the local socket. */
export class RpcClient {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  readonly #lines = new LineCutter()
  #next = 1

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#fail(new SottoError('no-daemon', 'it went away')))
  }

  /** @throws what the daemon threw; no-daemon when it went away; cancelled by the signal */
  call(
    method: string,
    params: unknown,
    options: {
      onEvent?: ((event: unknown) => void) | undefined
      signal?: AbortSignal | undefined
      /** Nothing more is read from the daemon until it resolves. */
      room?: (() => Promise<void>) | undefined
    } = {},
  ): Promise<unknown> {
    const id = this.#next++
    const { signal, room, onEvent = () => undefined } = options
    const abort = () => {
      this.#fail(new SottoError('cancelled'))
    }
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, event: onEvent, room })
      if (signal?.aborted === true) abort()
      else if (this.#socket.destroyed) this.#fail(new SottoError('no-daemon'))
      else this.#socket.write(lineOf({ id, method, params }))
    })
    signal?.addEventListener('abort', abort, { once: true })
    return answered.finally(() => signal?.removeEventListener('abort', abort))
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) this.#answer(parseResponse(line))
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #answer(response: Response): void {
    const waiting = this.#waiting.get(response.id)
    if (waiting === undefined) return
    if ('event' in response) {
      waiting.event(response.event)
      if (waiting.room !== undefined) this.#waitFor(waiting.room)
      return
    }
    this.#waiting.delete(response.id)
    if ('error' in response) waiting.reject(errorFromCode(response.error.code, response.error.message))
    else waiting.resolve(response.result)
  }

  #waitFor(room: () => Promise<void>): void {
    this.#socket.pause()
    void room().finally(() => this.#socket.resume())
  }

  #fail(error: Error): void {
    this.#socket.destroy()
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}

/** @returns null when nothing answers there: no socket, or one that a killed daemon left behind */
export async function connectRpc(path: string): Promise<RpcClient | null> {
  if (!(await isPrivate(dirname(path)))) return null
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(new RpcClient(socket)))
    socket.once('error', () => resolve(null))
  })
}
