import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import type { CarrierId } from '../effects.js'
import type { NodeState } from './state.js'
import type { Turn } from './turn.js'

/** A page of the site: what an upgrade request asks for (SPEC § 6.2). */
export const LINK_PATH = '/'

/**
 * One WebSocket, whatever stage it is in: dialling, handshake, first contact, link. Each stage is a carrier of its own and
 * puts the next in its place.
 */
export interface Carrier {
  readonly id: CarrierId
  readonly who: UserId | null
  /** When `due` wants to be called. */
  readonly deadline: number
  dialled(turn: Turn): void
  message(turn: Turn, bytes: Uint8Array): void
  /** It is gone: closed, or the dial failed. Called at most once, after it has left the table. */
  closed(turn: Turn): void
  due(turn: Turn): void
  /** We want no more of it: ends at once, and nothing is tried in its place. */
  leave(turn: Turn): void
}

export interface DialRequest {
  readonly who: UserId
  readonly endpoint: Endpoint
  readonly proof: Uint8Array
}

/** Dials; the carrier that `make` gives hears how it goes. */
export function dial(turn: Turn, request: DialRequest, make: (id: CarrierId) => Carrier): CarrierId {
  const id = turn.node.nextCarrier++
  turn.node.carriers.set(id, make(id))
  turn.emit({ kind: 'dial', carrier: id, path: LINK_PATH, ...request })
  return id
}

/** Puts the next stage (or an accepted carrier's first) in place. */
export function seat(turn: Turn, carrier: Carrier): void {
  turn.node.carriers.set(carrier.id, carrier)
}

export function sendOn(turn: Turn, carrier: Carrier, bytes: Uint8Array): void {
  turn.emit({ kind: 'send', carrier: carrier.id, bytes })
}

/** Ends a carrier from our side; its `closed` hears it too. */
export function drop(turn: Turn, carrier: Carrier): void {
  turn.emit({ kind: 'close', carrier: carrier.id })
  gone(turn, carrier.id)
}

/** Ends a carrier from our side, and its `closed` does not hear it. */
export function abandon(turn: Turn, carrier: Carrier): void {
  turn.emit({ kind: 'close', carrier: carrier.id })
  turn.node.carriers.delete(carrier.id)
}

/** The other side or the network ended it. */
export function gone(turn: Turn, id: CarrierId): void {
  const carrier = turn.node.carriers.get(id)
  if (carrier === undefined) return
  turn.node.carriers.delete(id)
  carrier.closed(turn)
}

export function nextCarrierDeadline(node: NodeState): number {
  let next = Infinity
  for (const carrier of node.carriers.values()) next = Math.min(next, carrier.deadline)
  return next
}

export function dueCarriers(turn: Turn): void {
  for (const carrier of [...turn.node.carriers.values()]) {
    const seated = turn.node.carriers.get(carrier.id) === carrier
    if (seated && carrier.deadline <= turn.now) carrier.due(turn)
  }
}
