import type { UserId } from '../../events/vocabulary/facts.js'
import { addressOf } from '../../keys/user-id.js'
import { drop, seat } from './carriers.js'
import { pump } from './delivery.js'
import { Link, type LinkStart, sayEndpoints } from './link.js'
import { noteDevice, noteInstance, standsAgainst } from './peer-devices.js'
import { connected, lost } from './reaching.js'
import { sayHave } from './reconciling.js'
import { complain } from './standing.js'
import type { Turn } from './turn.js'

/** How much later than the other one's start a dial may be seen to begin that began without knowing of it. */
const SIMULTANEOUS_MS = 5_000

/** A handshake succeeded. Of two links one stays; what it has not acknowledged the other sends again. */
export function established(turn: Turn, start: Omit<LinkStart, 'ended'>): void {
  const link = new Link({ ...start, ended: linkEnded }, turn)
  if (!isWelcome(turn, link)) return
  noteInstance(turn, link.who, link.peer.instance, link.openedAt)
  const old = turn.node.links.get(link.who)
  seat(turn, link)
  if (old !== undefined && staysWith(turn, old, link) === old) {
    link.leave(turn)
    return
  }
  turn.node.links.set(link.who, link)
  old?.leave(turn)
  sayHave(turn, link)
  sayEndpoints(turn, link, turn.node.listening ?? [])
  connected(turn, link)
  pump(turn, link)
}

/**
 * One device speaks for a contact. The other one is told so, be it at the end of this link or of the one before, and
 * nothing is taken from it. This link is not seated then: its handshake ends as one that came to nothing.
 */
function isWelcome(turn: Turn, link: Link): boolean {
  const { who, peer } = link
  if (!noteDevice(turn, who, peer.device)) {
    complain(turn, who, 'proof', 'too many devices')
    drop(turn, link)
    return false
  }
  const old = turn.node.links.get(who)
  const againstOld = old === undefined ? null : standsAgainst(turn, who, old.peer.device)
  if (againstOld !== null) old?.turnAway(turn, againstOld)
  const against = standsAgainst(turn, who, peer.device)
  if (against !== null) link.turnAway(turn, against)
  return against === null
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
