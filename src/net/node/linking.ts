import type { UserId } from '../../events/vocabulary/facts.js'
import { addressOf } from '../../keys/user-id.js'
import { seat } from './carriers.js'
import { pump } from './delivery.js'
import { Link, type LinkStart, sayEndpoints } from './link.js'
import { connected, lost } from './reaching.js'
import type { Turn } from './turn.js'

/** How much later than the other one's start a dial may be seen to begin that began without knowing of it. */
const SIMULTANEOUS_MS = 5_000

/** A handshake succeeded. Of two links one stays; what it has not acknowledged the other sends again. */
export function established(turn: Turn, start: Omit<LinkStart, 'ended'>): void {
  const link = new Link({ ...start, ended: linkEnded }, turn)
  const old = turn.node.links.get(link.who)
  seat(turn, link)
  if (old !== undefined && staysWith(turn, old, link) === old) {
    link.leave(turn)
    return
  }
  turn.node.links.set(link.who, link)
  old?.leave(turn)
  sayEndpoints(turn, link, turn.node.listening ?? [])
  connected(turn, link)
  pump(turn, link)
}

/**
 * Both ends must keep the same link. Two that began at one time: the one that the lower ID dialled. Otherwise the newer,
 * because whoever dials while a link is up has lost that link.
 */
function staysWith(turn: Turn, old: Link, link: Link): Link {
  const simultaneous = link.openedAt < old.establishedAt + SIMULTANEOUS_MS
  if (!simultaneous || old.role === link.role) return link
  const lowerDials = isLower(turn.vault.address, link.who) ? 'initiator' : 'responder'
  return link.role === lowerDials ? link : old
}

/** The order of IDs is that of their 32 bytes. */
export function isLower(own: Uint8Array, other: UserId): boolean {
  return Buffer.compare(own, addressOf(other)) < 0
}

function linkEnded(turn: Turn, link: Link): void {
  if (turn.node.links.get(link.who) !== link) return
  turn.node.links.delete(link.who)
  lost(turn, link)
}
