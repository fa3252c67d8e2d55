import { setMaxListeners } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { type Server, type Socket, createServer } from 'node:net'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import { LineCutter, lineOf } from './lines.js'
import { type Request, parseRequest } from './messages.js'
import { prepareSocketDirectory } from './socket-directory.js'

const MAX_CLIENTS = 32
const MAX_CALLS_PER_CLIENT = 16
/** What a client may leave unread before it is cut off. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024
/** What it may leave unread before whoever can wait does. */
const PATIENT_UNREAD_BYTES = 1024 * 1024

/** Carries out one call; events go out before the result. Who has a lot of them to send waits for `room` in between. */
export type Dispatch = (
  method: string,
  params: unknown,
  emit: (event: unknown) => void,
  signal: AbortSignal,
  room: () => Promise<void>,
) => Promise<unknown>

/** The daemon's end of the local socket (SPEC § 9). */
export interface RpcServer {
  close(): Promise<void>
}

/** @throws cannot-listen. The caller holds the profile's lock, so a socket found here is a dead one's. */
export async function serveRpc(path: string, dispatch: Dispatch): Promise<RpcServer> {
  await prepareSocketDirectory(path)
  await rm(path, { force: true })
  const clients = new Set<Socket>()
  const server = createServer((socket) => {
    if (clients.size >= MAX_CLIENTS) return void socket.destroy()
    clients.add(socket)
    socket.once('close', () => clients.delete(socket))
    serveClient(socket, dispatch)
  })
  await listen(server, path)
  await chmod(path, 0o600)
  return { close: () => closeServer(server, clients) }
}

function serveClient(socket: Socket, dispatch: Dispatch): void {
  const gone = new AbortController()
  setMaxListeners(2 * MAX_CALLS_PER_CLIENT, gone.signal)
  const lines = new LineCutter()
  let calls = 0
  const run = async (request: Request) => {
    if (calls >= MAX_CALLS_PER_CLIENT) return void socket.destroy()
    calls++
    await answer(socket, request, dispatch, gone.signal)
    calls--
  }
  socket.on('error', () => socket.destroy())
  socket.once('close', () => gone.abort())
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const line of lines.push(chunk)) void run(parseRequest(line))
    } catch {
      // Not our protocol: there is no id to answer to.
      socket.destroy()
    }
  })
}

async function answer(socket: Socket, request: Request, dispatch: Dispatch, signal: AbortSignal) {
  const { id, method, params } = request
  const emit = (event: unknown) => write(socket, { id, event })
  try {
    const result = (await dispatch(method, params, emit, signal, () => room(socket))) ?? {}
    write(socket, { id, result })
  } catch (error) {
    const { code, message, hint } = isSottoError(error) ? error : new SottoError('internal')
    write(socket, { id, error: { code, message, hint } })
  }
}

function write(socket: Socket, value: unknown): void {
  if (socket.destroyed) return
  socket.write(lineOf(value))
  if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy()
}

/** Resolves when the client has taken most of what it was sent, or is gone. */
function room(socket: Socket): Promise<void> {
  if (socket.destroyed || socket.writableLength < PATIENT_UNREAD_BYTES) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new SottoError('cannot-listen', 'the local socket', { cause })))
    server.listen(path, resolve)
  })
}

/** Lets answers under way reach their clients, then closes. */
async function closeServer(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const socket of clients) socket.end()
  const cut = setTimeout(() => clients.forEach((socket) => socket.destroy()), 500)
  await closed
  clearTimeout(cut)
}
