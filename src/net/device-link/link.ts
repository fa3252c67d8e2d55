import { wipe } from '../../foundation/bytes.js'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { Connected } from '../gate/device-door.js'
import type { Pipe } from '../gate/message-pipe.js'
import { type DeviceFrame, MAX_BUNDLE_BYTES, type Taken, openDeviceFrame, sealDeviceFrame } from './frame.js'
import { type DeviceKeys, answer, call, conclude } from './handshake.js'

/** Two devices of one identity that know each other to be that (SPEC § 6.6). Every method @throws connection-lost, malformed */
export class DeviceLink {
  readonly #pipe: Pipe
  readonly #keys: DeviceKeys
  #sent = 0
  #received = 0

  private constructor(pipe: Pipe, keys: DeviceKeys) {
    this.#pipe = pipe
    this.#keys = keys
  }

  /** The sender's end, once the receiver said that it is ready. */
  static async calling(
    { pipe, ...ground }: Connected,
    linkSecret: Uint8Array,
    rng: Rng,
  ): Promise<DeviceLink> {
    const [state, a] = call({ ...ground, link: linkSecret }, rng)
    await pipe.send(a)
    const link = new DeviceLink(pipe, conclude(state, await pipe.receive()))
    await link.#expect('ready')
    return link
  }

  /** The receiver's end. Only the first frame that opens proves who calls: see `bundle`. */
  static async answering(
    { pipe, ...ground }: Connected,
    linkSecret: Uint8Array,
    rng: Rng,
  ): Promise<DeviceLink> {
    const [keys, b] = answer({ ...ground, link: linkSecret }, await pipe.receive(), rng)
    await pipe.send(b)
    const link = new DeviceLink(pipe, keys)
    await link.#send({ type: 'ready' })
    return link
  }

  /** Sender: the whole bundle, as fast as the other side takes it, and what became of it there. */
  async sendBundle(bundle: AsyncIterable<Uint8Array>): Promise<Taken> {
    try {
      for await (const piece of bundle) {
        for (let at = 0; at < piece.length; at += MAX_BUNDLE_BYTES) {
          await this.#send({ type: 'bundle', bytes: piece.subarray(at, at + MAX_BUNDLE_BYTES) })
        }
      }
      await this.#send({ type: 'end' })
    } catch (error) {
      // Who refuses hangs up: the reason has come by then.
      if (!isSottoError(error, 'connection-lost')) throw error
    }
    return this.#expect('done')
  }

  /** Receiver: the bundle's bytes as they come. */
  async *bundle(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = await this.#receive()
      if (frame.type === 'end') return
      if (frame.type === 'refused') throw refusalOf(frame.code)
      if (frame.type !== 'bundle') throw new SottoError('malformed', 'a frame out of turn')
      yield frame.bytes
    }
  }

  /** Receiver: still at it. */
  working(): Promise<void> {
    return this.#send({ type: 'working' })
  }

  /** Receiver: what both devices hold now. */
  done(taken: Taken): Promise<void> {
    return this.#send({ type: 'done', ...taken })
  }

  /** Either: why it ends here. Nobody may be there any more to hear it. */
  async refuse(error: unknown): Promise<void> {
    const code = isSottoError(error) ? error.code : 'internal'
    await this.#send({ type: 'refused', code }).catch(() => undefined)
  }

  /** Idempotent; forgets the keys. */
  async close(): Promise<void> {
    await this.#pipe.close()
    wipe(this.#keys.send, this.#keys.receive)
  }

  #send(frame: DeviceFrame): Promise<void> {
    return this.#pipe.send(sealDeviceFrame(this.#keys.send, this.#sent++, frame))
  }

  async #receive(): Promise<DeviceFrame> {
    const bytes = await this.#pipe.receive()
    return openDeviceFrame(this.#keys.receive, this.#received++, bytes)
  }

  async #expect<T extends DeviceFrame['type']>(type: T): Promise<Extract<DeviceFrame, { type: T }>> {
    for (;;) {
      const frame = await this.#receive()
      if (frame.type === type) return frame as Extract<DeviceFrame, { type: T }>
      if (frame.type === 'refused') throw refusalOf(frame.code)
      if (frame.type !== 'working') throw new SottoError('malformed', 'a frame out of turn')
    }
  }
}

function refusalOf(code: string): SottoError {
  return new SottoError('device-refused', code)
}
