import type { UserId } from '../../events/vocabulary/facts.js'
import type { CarrierId } from '../effects.js'
import type { Carriage } from './carriage.js'

/** Bytes to and from one person since the gate opened. */
export interface Traffic {
  readonly who: UserId
  readonly bytesIn: number
  readonly bytesOut: number
  readonly carriers: number
}

interface Seat {
  /** Null for a stranger on first contact. */
  readonly who: UserId | null
  readonly carriage: Carriage
}
interface Past {
  bytesIn: number
  bytesOut: number
}

const MAX_CARRIERS = 256
const MAX_PER_CONTACT = 4
const MAX_STRANGERS = 32

/** Every open connection with a peer, with who it is for. */
export class CarriageTable {
  readonly #seats = new Map<CarrierId, Seat>()
  readonly #past = new Map<UserId, Past>()
  #onEmpty: () => void = () => undefined

  /** One person, and all strangers together, get only so many. */
  hasRoomFor(who: UserId | null): boolean {
    const same = [...this.#seats.values()].filter((seat) => seat.who === who).length
    return this.#seats.size < MAX_CARRIERS && same < (who === null ? MAX_STRANGERS : MAX_PER_CONTACT)
  }

  add(id: CarrierId, who: UserId | null, carriage: Carriage): void {
    this.#seats.set(id, { who, carriage })
  }

  get(id: CarrierId): Seat | undefined {
    return this.#seats.get(id)
  }

  get size(): number {
    return this.#seats.size
  }

  remove(id: CarrierId): void {
    const seat = this.#seats.get(id)
    if (seat === undefined) return
    this.#seats.delete(id)
    if (seat.who !== null) this.#remember(seat.who, seat.carriage)
    if (this.#seats.size === 0) this.#onEmpty()
  }

  traffic(): Traffic[] {
    const people = new Set<UserId>(this.#past.keys())
    for (const { who } of this.#seats.values()) if (who !== null) people.add(who)
    return [...people].map((who) => this.#trafficOf(who))
  }

  hold(on: boolean): void {
    for (const { carriage } of this.#seats.values()) carriage.hold(on)
  }

  /** Says goodbye to all; resolves when the last is gone, which each carriage sees to in bounded time. */
  closeAll(): Promise<void> {
    for (const { carriage } of this.#seats.values()) carriage.close()
    if (this.#seats.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }

  #remember(who: UserId, { bytesIn, bytesOut }: Carriage): void {
    const past = this.#past.get(who) ?? { bytesIn: 0, bytesOut: 0 }
    this.#past.set(who, { bytesIn: past.bytesIn + bytesIn, bytesOut: past.bytesOut + bytesOut })
  }

  #trafficOf(who: UserId): Traffic {
    const open = [...this.#seats.values()].filter((seat) => seat.who === who).map((seat) => seat.carriage)
    const all: readonly Past[] = [this.#past.get(who) ?? { bytesIn: 0, bytesOut: 0 }, ...open]
    const sum = (key: keyof Past) => all.reduce((total, each) => total + each[key], 0)
    return { who, bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut'), carriers: open.length }
  }
}
