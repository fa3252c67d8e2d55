import type { Socket } from 'node:net'

/** Connections that have proved nothing: at most `total`, and `perAddress` from one place. */
export interface VisitorLimits {
  readonly total: number
  readonly perAddress: number
}

/** Counts visitors by where they come from; whoever is one too many is cut off without a word. */
export class Visitors {
  readonly #limits: VisitorLimits
  readonly #places = new Map<Socket, string>()
  readonly #counts = new Map<string, number>()

  constructor(limits: VisitorLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#places.size
  }

  /** False when there is no room; the socket is destroyed then. */
  admit(socket: Socket): boolean {
    const place = placeOf(socket.remoteAddress ?? '')
    const here = this.#counts.get(place) ?? 0
    if (here >= this.#limits.perAddress || this.#places.size >= this.#limits.total) {
      socket.destroy()
      return false
    }
    this.#places.set(socket, place)
    this.#counts.set(place, here + 1)
    socket.once('close', () => {
      this.release(socket)
    })
    return true
  }

  /** The visitor has left, or has proved who it is. */
  release(socket: Socket): void {
    const place = this.#places.get(socket)
    if (place === undefined) return
    this.#places.delete(socket)
    const left = (this.#counts.get(place) ?? 1) - 1
    if (left > 0) this.#counts.set(place, left)
    else this.#counts.delete(place)
  }
}

/** One host of IPv4; one network of 64 bits of IPv6, within which addresses cost nothing. */
function placeOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const behind = tail === undefined ? [] : tail.split(':').filter((group) => group !== '')
  const zeros = tail === undefined ? 0 : 8 - groups.length - behind.length
  return [...groups, ...Array.from({ length: zeros }, () => '0'), ...behind].slice(0, 4).join(':')
}
