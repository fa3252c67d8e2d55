import type { WebSocket } from 'ws'
import type { UserId } from '../../events/vocabulary/facts.js'
import type { Clock } from '../clock.js'
import type { CarrierId, Input, Proven } from '../effects.js'
import { CarriageTable, type Traffic } from './carriage-table.js'
import { Carriage } from './carriage.js'
import type { Refusal } from './refusals.js'

export type PeerInput = Extract<Input, { kind: 'accepted' | 'message' | 'closed' }>

export interface PeersOptions {
  readonly clock: Clock
  /** Asked again for every message that goes out. */
  mayTalkTo(who: UserId): boolean
  onInput(input: PeerInput): void
  onRefused(refusal: Refusal): void
}

/** Everyone we are connected with, whoever dialled. */
export class Peers {
  readonly #options: PeersOptions
  readonly #carriages = new CarriageTable()
  #accepted = 0
  #held = false
  #closed = false

  constructor(options: PeersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#carriages.size
  }

  /** Accepted carriers are numbered below zero; the node numbers those it dials above. */
  accept(proven: Proven, socket: WebSocket): void {
    const carrier = -++this.#accepted
    const seated = this.seat(carrier, proven.kind === 'contact' ? proven.who : null, socket)
    if (seated) this.#options.onInput({ kind: 'accepted', carrier, proven })
  }

  /** False, and the connection is cut, when this person has too many already. */
  seat(carrier: CarrierId, who: UserId | null, socket: WebSocket): boolean {
    if (this.#closed || !this.#carriages.hasRoomFor(who)) {
      socket.terminate()
      return false
    }
    const { clock } = this.#options
    const carriage = new Carriage(socket, clock, {
      onMessage: (bytes) => {
        this.#options.onInput({ kind: 'message', carrier, bytes })
      },
      onClosed: () => {
        this.#carriages.remove(carrier)
        this.#options.onInput({ kind: 'closed', carrier })
      },
      onRefused: (detail) => {
        this.#refuse(detail, who)
      },
    })
    this.#carriages.add(carrier, who, carriage)
    if (this.#held) carriage.hold(true)
    return true
  }

  /** A link outlives neither block nor removal: no row, no bytes. */
  send(carrier: CarrierId, bytes: Uint8Array): void {
    const seat = this.#carriages.get(carrier)
    if (seat === undefined) return
    if (seat.who === null || this.#options.mayTalkTo(seat.who)) {
      seat.carriage.send(bytes)
      return
    }
    this.#refuse('no longer a contact', seat.who)
    seat.carriage.terminate()
  }

  close(carrier: CarrierId): void {
    this.#carriages.get(carrier)?.carriage.close()
  }

  hold(on: boolean): void {
    if (this.#held === on) return
    this.#held = on
    this.#carriages.hold(on)
  }

  traffic(): Traffic[] {
    return this.#carriages.traffic()
  }

  closeAll(): Promise<void> {
    this.#closed = true
    return this.#carriages.closeAll()
  }

  #refuse(detail: string, who: UserId | null): void {
    this.#options.onRefused({ what: 'frame', detail, ...(who === null ? {} : { id: who }) })
  }
}
