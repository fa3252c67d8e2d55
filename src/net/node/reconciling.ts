import type { MessageId, UserId } from '../../events/vocabulary/facts.js'
import { toHex } from '../../foundation/bytes.js'
import type { ContactRow } from '../../projections/view.js'
import { HAVE_TAGS, type Have, type HaveKey, makeHave, missingFrom } from '../links/have.js'
import { directionOf } from '../links/pair.js'
import { pinnedPeer } from '../links/peer.js'
import type { Link } from './link.js'
import { peerDevices } from './peer-devices.js'
import { ifAllowed } from './standing.js'
import type { Turn } from './turn.js'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Half of what receivers take (SPEC § 7.2), so that what is sent again does not arrive too late. */
const WINDOW_MS = 30 * DAY_MS
/** Of a conversation, ours and theirs, as compared with what the other side says it has. */
const MAX_COMPARED = 2 * HAVE_TAGS
/** A friend may lose its log now and then. Each time may cost as many letters as they had. */
const LOSSES_AN_HOUR = 4

/**
 * Says which letters we have. A log that was put back to an earlier state (an older copy, a device that was moved while
 * letters came) does not know what it has lost, but its contacts do. Only between two runs can it have been put back, so
 * it is said once to each process of the other side.
 */
export function sayHave(turn: Turn, link: Link): void {
  const { instance } = link.peer
  const row = turn.view.contact(link.who)
  if (instance === null || row?.state !== 'friend') return
  if (peerDevices(turn, link.who).told === toHex(instance)) return
  const key = ifAllowed(() => keyOf(turn, link, row, 'ours'))
  if (key === null) return
  const { since, ids } = lettersHad(turn, link.who)
  link.send(turn, { type: 'have', ...makeHave(key, since, ids, turn.rng) })
  link.saidHave = true
}

/** A pong: what was said before the ping has been heard. */
export function ponged(turn: Turn, link: Link): void {
  const { instance } = link.peer
  if (link.saidHave && instance !== null) peerDevices(turn, link.who).told = toHex(instance)
}

/**
 * What they had acknowledged and do not have any more goes out once more; they tell it from what they forgot on purpose.
 * Whoever lies about it gets again what they had.
 */
export function heardHave(turn: Turn, link: Link, have: Have): void {
  const row = turn.view.contact(link.who)
  if (link.heardHave || row?.state !== 'friend') return
  link.heardHave = true
  const key = ifAllowed(() => keyOf(turn, link, row, 'theirs'))
  if (key === null) return
  const since = Math.max(have.since, turn.now - WINDOW_MS)
  const ids = turn.view
    .conversationIds(link.who, { since, limit: MAX_COMPARED })
    .map((each) => each.messageId)
  const lost = missingFrom(have, key, ids).filter((id) => wasDelivered(turn, id))
  if (lost.length === 0 || !isWithinBudget(turn, link.who)) return
  turn.append([{ type: 'MessagesRequeued', data: { to: link.who, messageIds: lost.slice(-HAVE_TAGS) } }])
}

/**
 * The newest letters of a conversation, in both directions, and of those that were forgotten, whosever they were: erased
 * records do not tell. The tags hide which is which.
 */
function lettersHad(turn: Turn, who: UserId): { readonly since: number; readonly ids: readonly MessageId[] } {
  const from = Math.max(0, turn.now - WINDOW_MS)
  const limit = HAVE_TAGS + 1
  const kept = turn.view
    .conversationIds(who, { since: from, limit })
    .map(({ messageId, orderedAt }) => ({ messageId, until: orderedAt }))
  const forgotten = turn.view
    .forgotten(Math.floor(from / DAY_MS), limit)
    .map(({ messageId, day }) => ({ messageId, until: (day + 1) * DAY_MS - 1 }))
  const newestFirst = [...kept, ...forgotten].sort((a, b) => b.until - a.until)
  const leftOut = newestFirst[HAVE_TAGS]
  const ids = newestFirst.slice(0, HAVE_TAGS).map(({ messageId }) => messageId)
  return { since: leftOut === undefined ? from : leftOut.until + 1, ids }
}

function keyOf(turn: Turn, link: Link, row: ContactRow, whose: 'ours' | 'theirs'): HaveKey {
  const own = turn.vault.address
  const { address } = pinnedPeer(row)
  const direction = whose === 'ours' ? directionOf(own, address) : directionOf(address, own)
  return { pairKey: turn.vault.pairKey(row), transcript: link.session.transcript, direction }
}

function wasDelivered(turn: Turn, id: MessageId): boolean {
  const message = turn.view.message(id)
  return message?.direction === 'out' && (message.state === 'delivered' || message.state === 'read')
}

function isWithinBudget(turn: Turn, who: UserId): boolean {
  const recent = (turn.node.losses.get(who) ?? []).filter((at) => at > turn.now - HOUR_MS)
  if (recent.length >= LOSSES_AN_HOUR) return false
  turn.node.losses.set(who, [...recent, turn.now])
  return true
}
