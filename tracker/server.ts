import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import type { FileSystem } from '../src/events/file-system/file-system.js'
import { nodeFileSystem } from '../src/events/file-system/node.js'
import { SottoError } from '../src/foundation/errors.js'
import { pooledRng, type Rng } from '../src/foundation/rng.js'
import { type HostPort, joinEndpoint, splitEndpoint } from '../src/net/gate/address.js'
import { formatTrackerUrl } from '../src/net/tracker/url.js'
import { trackerKeys } from './keys.js'
import { DEFAULT_LIMITS, type TrackerLimits } from './limits.js'
import {
  createTracker,
  replay,
  stepTracker,
  type TrackerEffect,
  type TrackerInput,
  type TrackerState,
} from './state.js'
import { TrackerStore } from './store.js'

export interface TrackerOptions {
  /** HOST:PORT with an IP address; port 0 takes a free one. */
  readonly listen: string
  /** The host to stand in the URL when it is not the one listened on: behind 0.0.0.0, a name or a NAT. */
  readonly publicHost?: string
  /** The directory of tracker.key and the log; made when missing. */
  readonly data: string
  readonly clock?: () => number
  readonly rng?: Rng
  readonly limits?: TrackerLimits
  readonly fs?: FileSystem
}

export interface RunningTracker {
  /** HOST:PORT, with the port that was taken. */
  readonly listening: string
  /** With the pinned key; its host is `publicHost`, else the one listened on. */
  readonly url: string
  /** Resolves when it has stopped: with null after `close`, with the error when its log failed. */
  readonly ended: Promise<Error | null>
  /** Idempotent. */
  close(): Promise<void>
}

const RECEIVE_BUFFER_BYTES = 4 << 20
const LOCK = 'lock'

/**
 * A tracker on one UDP socket. Prints nothing, keeps no record of who asks.
 * @throws bad-endpoint, cannot-listen, log-busy (another tracker has this directory), log-corrupt, malformed (its key)
 */
export async function runTracker(options: TrackerOptions): Promise<RunningTracker> {
  const place = placeOf(options.listen)
  const fs = options.fs ?? nodeFileSystem
  await fs.mkdir(options.data)
  const unlock = await fs.lock(`${options.data}/${LOCK}`)
  try {
    return await open(options, fs, place, unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

async function open(
  options: TrackerOptions,
  fs: FileSystem,
  place: HostPort,
  unlock: () => Promise<void>,
): Promise<RunningTracker> {
  const { clock = Date.now, rng = pooledRng(), limits = DEFAULT_LIMITS } = options
  const keys = await trackerKeys(fs, options.data, rng)
  const store = await TrackerStore.open({ fs, directory: options.data, keys, rng })
  try {
    const state = createTracker(keys.secret, clock(), rng, limits)
    for await (const accepted of store.read()) replay(state, accepted)
    const socket = await bind(place)
    const loop = new TrackerLoop(socket, store, state, clock, rng, unlock)
    const { address: host, port } = socket.address()
    const url = formatTrackerUrl({ host: options.publicHost ?? host, port, key: keys.public })
    return { listening: joinEndpoint({ host, port }), url, ended: loop.ended, close: () => loop.close() }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** The one place where the pure state meets the socket, the disk and the clock. */
class TrackerLoop {
  readonly ended: Promise<Error | null>
  readonly #socket: Socket
  readonly #store: TrackerStore
  readonly #clock: () => number
  readonly #rng: Rng
  readonly #unlock: () => Promise<void>
  readonly #work = new Set<Promise<void>>()
  #state: TrackerState
  #verifySoon = false
  #closing: Promise<void> | null = null
  #end: (error: Error | null) => void = () => undefined

  constructor(
    socket: Socket,
    store: TrackerStore,
    state: TrackerState,
    clock: () => number,
    rng: Rng,
    unlock: () => Promise<void>,
  ) {
    this.#socket = socket
    this.#store = store
    this.#state = state
    this.#clock = clock
    this.#rng = rng
    this.#unlock = unlock
    this.ended = new Promise((resolve) => (this.#end = resolve))
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => this.#feed({ kind: 'datagram', bytes, from }))
    socket.on('error', (error) => void this.close(error))
  }

  close(error: Error | null = null): Promise<void> {
    this.#closing ??= this.#shut(error)
    return this.#closing
  }

  /** What is on its way to the disk gets there; then the log says that it was closed in order. */
  async #shut(error: Error | null): Promise<void> {
    this.#socket.close()
    await this.#store.close().catch(() => undefined)
    await Promise.allSettled(this.#work)
    await this.#unlock()
    this.#end(error)
  }

  #feed(input: TrackerInput): void {
    if (this.#closing !== null) return
    const [state, effects] = stepTracker(this.#state, input, this.#clock(), this.#rng)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: TrackerEffect): void {
    if (effect.kind === 'reply') this.#socket.send(effect.bytes, effect.to.port, effect.to.address, ignore)
    else if (effect.kind === 'verify') this.#soon()
    else if (effect.kind === 'append') this.#do(this.#append(effect.batch, effect.records))
    else this.#do(this.#compact(effect.live))
  }

  async #append(batch: number, records: Parameters<TrackerStore['append']>[0]): Promise<void> {
    await this.#store.append(records)
    this.#feed({ kind: 'stored', batch })
  }

  async #compact(live: Parameters<TrackerStore['compact']>[0]): Promise<void> {
    this.#feed({ kind: 'compacted', leftOut: await this.#store.compact(live) })
  }

  /** A log that failed takes nothing more: the tracker ends, and whoever runs it learns why. */
  #do(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => void this.close(error instanceof Error ? error : new SottoError('internal')))
      .finally(() => this.#work.delete(watched))
    this.#work.add(watched)
  }

  #soon(): void {
    if (this.#verifySoon) return
    this.#verifySoon = true
    setImmediate(() => {
      this.#verifySoon = false
      this.#feed({ kind: 'verify' })
    })
  }
}

function placeOf(listen: string): HostPort {
  const place = splitEndpoint(listen)
  if (place === null || isIP(place.host) === 0) {
    throw new SottoError('bad-endpoint', 'a tracker listens on an ip address and a port')
  }
  return place
}

async function bind({ host, port }: HostPort): Promise<Socket> {
  const type = isIP(host) === 6 ? 'udp6' : 'udp4'
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES })
  try {
    socket.bind({ address: host, port })
    await once(socket, 'listening')
    return socket
  } catch (cause) {
    socket.close()
    throw new SottoError('cannot-listen', undefined, { cause })
  }
}

/** A reply that cannot be sent is a reply that was lost; the asker asks again. */
function ignore(): void {
  return
}
