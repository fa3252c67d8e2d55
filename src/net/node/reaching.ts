import type { Endpoint, Presence, UserId } from '../../events/vocabulary/facts.js'
import type { ContactRow } from '../../projections/view.js'
import type { CarrierId, Ticket } from '../effects.js'
import { decide, type TrackerWord } from '../presence/decide.js'
import type { Found } from '../tracker/lookup.js'
import { drop } from './carriers.js'
import { beginCheck } from './checks.js'
import { call, Dialling } from './connecting.js'
import { learnEndpoints } from './endpoints.js'
import type { Link } from './link.js'
import { isLower } from './linking.js'
import { lookUpContact } from './lookups.js'
import type { NodeState } from './state.js'
import { isSilent, noteStatus } from './standing.js'
import type { Turn } from './turn.js'

const FIRST_RETRY_MS = 2_000
const LAST_RETRY_MS = 300_000
/** A round that failed is not begun again sooner, whatever is queued. */
const QUIET_MS = 2_000
const MAX_ROUNDS_AT_ONCE = 16
const START_SPREAD_MS = 1_000
/** After a cut the lower ID dials at once and the higher one later, so that mostly one link comes up. */
const HIGHER_WAITS_MS = 1_500
/** A link that did not live so long got us nowhere: the back-off goes on. */
const HELD_MS = 30_000

/**
 * Getting to one contact without a link, in rounds. A round is the user's status check with the link as its answer: the known
 * places are dialled (direct), the trackers asked, new places dialled (recheck).
 */
export interface Reach {
  readonly who: UserId
  phase: 'idle' | 'direct' | 'tracker' | 'recheck'
  left: Endpoint[]
  /** Every place that was known when the latest round dialled. */
  tried: readonly Endpoint[]
  carrier: CarrierId | null
  word: TrackerWord | null
  /** Answers to an earlier round are told by it. */
  round: number
  attempt: number
  nextAt: number
  quietUntil: number
  /** Commands that wait for the status. */
  asked: Ticket[]
}

type Callable = ContactRow & { readonly shows: Uint8Array }

/** Something waits for this contact: dial soon, whatever the back-off says. */
export function urge(turn: Turn, who: UserId): void {
  if (turn.node.links.has(who) || !isWanted(turn, who)) return
  const reach = reachOf(turn, who)
  reach.nextAt = Math.min(reach.nextAt, Math.max(turn.now, reach.quietUntil))
  reach.attempt = 0
}

/** A place that was not dialled yet is worth a try now; a round that asked the trackers takes it up itself. */
export function urgeNewPlace(turn: Turn, who: UserId): void {
  const { phase, tried } = reachOf(turn, who)
  const places = turn.view.contact(who)?.endpoints ?? []
  if (phase !== 'tracker' && places.some((place) => !tried.includes(place))) urge(turn, who)
}

/** The status as it is now, not as it was: a check over the link, or a round at once. */
export function inquire(turn: Turn, who: UserId, tickets: readonly Ticket[]): void {
  const reach = reachOf(turn, who)
  reach.asked.push(...tickets)
  const link = turn.node.links.get(who)
  if (link !== undefined) {
    checkOver(turn, link)
    return
  }
  if (reach.phase === 'idle') reach.nextAt = turn.now
}

/** At the start, and when we begin to listen: everyone, not all in the same moment. */
export function reachAll(turn: Turn): void {
  for (const { id } of turn.view.contacts()) {
    if (!isCallable(turn.view.contact(id)) || !isWanted(turn, id) || turn.node.links.has(id)) continue
    const reach = reachOf(turn, id)
    if (reach.phase === 'idle') reach.nextAt = Math.min(reach.nextAt, turn.soon(0, START_SPREAD_MS))
  }
}

/** A link is up. */
export function connected(turn: Turn, link: Link): void {
  const reach = reachOf(turn, link.who)
  endRound(turn, reach)
  reach.nextAt = Infinity
  noteStatus(turn, link.who, 'online', 'link')
  if (reach.asked.length > 0) checkOver(turn, link)
}

/** The link is down: look where they are, the later the more links in a row did not hold. One that ended in a check was the direct check, and it has failed. */
export function lost(turn: Turn, { who, establishedAt, check }: Link): void {
  if (turn.node.phase !== 'running') return
  const reach = reachOf(turn, who)
  const held = turn.now - establishedAt >= HELD_MS
  if (held) reach.attempt = 0
  if (!isCallable(turn.view.contact(who)) || (!isWanted(turn, who) && reach.asked.length === 0)) return
  if (check !== null && !isSilent(turn)) {
    startRound(turn, reach, [])
    return
  }
  const base = isLower(turn.vault.address, who) ? 0 : HIGHER_WAITS_MS
  reach.nextAt = turn.soon(held ? base : base + backOff(reach), HIGHER_WAITS_MS)
}

/** No more talk with them, or with anyone. */
export function forget(turn: Turn, who: UserId): void {
  const reach = turn.node.reaches.get(who)
  if (reach === undefined) return
  endRound(turn, reach)
  answerAsked(turn, reach, turn.view.presence(who).status, 'none')
  turn.node.reaches.delete(who)
}

export function nextReach(node: NodeState): number {
  let next = Infinity
  for (const reach of node.reaches.values()) if (reach.phase === 'idle') next = Math.min(next, reach.nextAt)
  return next
}

export function dueReaches(turn: Turn): void {
  let rounds = [...turn.node.reaches.values()].filter((reach) => reach.phase !== 'idle').length
  for (const reach of [...turn.node.reaches.values()]) {
    if (reach.phase !== 'idle' || reach.nextAt > turn.now) continue
    if (rounds++ < MAX_ROUNDS_AT_ONCE) begin(turn, reach)
    else reach.nextAt = turn.soon(START_SPREAD_MS / 2, START_SPREAD_MS)
  }
}

function reachOf(turn: Turn, who: UserId): Reach {
  const known = turn.node.reaches.get(who)
  if (known !== undefined) return known
  const reach: Reach = {
    ...{ who, phase: 'idle', left: [], tried: [], carrier: null, word: null },
    ...{ round: 0, attempt: 0, nextAt: Infinity, quietUntil: 0, asked: [] },
  }
  turn.node.reaches.set(who, reach)
  return reach
}

export function isCallable(row: ContactRow | undefined): row is Callable {
  return row?.state === 'friend' && row.shows !== null && row.certificate !== null && row.spki !== null
}

/** Who listens keeps up with all friends; who does one thing only talks to whom it concerns. */
function isWanted(turn: Turn, who: UserId): boolean {
  if (isSilent(turn)) return false
  return turn.node.listening !== null || turn.view.outbox(who, 1).length > 0
}

function begin(turn: Turn, reach: Reach): void {
  const row = turn.view.contact(reach.who)
  reach.nextAt = Infinity
  if (!isCallable(row) || turn.node.links.has(reach.who) || turn.node.phase !== 'running') {
    answerAsked(turn, reach, turn.view.presence(reach.who).status, 'none')
    return
  }
  if (isSilent(turn)) {
    answerAsked(turn, reach, turn.view.presence(reach.who).status, 'none')
    return
  }
  if (!isWanted(turn, reach.who) && reach.asked.length === 0) return
  startRound(turn, reach, row.endpoints)
}

function startRound(turn: Turn, reach: Reach, places: readonly Endpoint[]): void {
  reach.round++
  reach.phase = 'direct'
  reach.word = null
  reach.left = [...places]
  reach.tried = turn.view.contact(reach.who)?.endpoints ?? []
  dialNext(turn, reach)
}

function dialNext(turn: Turn, reach: Reach): void {
  const endpoint = reach.left.shift()
  const row = turn.view.contact(reach.who)
  reach.carrier = null
  if (endpoint === undefined || !isCallable(row)) {
    weigh(turn, reach)
    return
  }
  const carrier = call(turn, row, endpoint, (later) => {
    if (reach.carrier === carrier) dialNext(later, reach)
  })
  reach.carrier = carrier
}

function weigh(turn: Turn, reach: Reach): void {
  const recheck = reach.phase === 'recheck' ? 'failed' : null
  const decision = decide({ direct: 'failed', tracker: reach.word, recheck })
  if (decision.next === 'done') {
    settle(turn, reach, decision.status, decision.how)
    return
  }
  if (decision.next === 'recheck') {
    again(turn, reach)
    return
  }
  const { round } = reach
  reach.phase = 'tracker'
  lookUpContact(turn, reach.who, (later, found) => {
    if (reach.round === round && reach.phase === 'tracker') heard(later, reach, found)
  })
}

function heard(turn: Turn, reach: Reach, found: Found | null): void {
  const row = turn.view.contact(reach.who)
  const toldAt = turn.node.toldEndpoints.get(reach.who) ?? 0
  const news = found !== null && found.at > toldAt ? found.endpoints : []
  const moved = news.some((endpoint) => !row?.endpoints.includes(endpoint))
  reach.word = wordOf(found, moved)
  const { round } = reach
  learnEndpoints(turn, reach.who, news, 'tracker', (later) => {
    if (reach.round === round && reach.phase === 'tracker') weigh(later, reach)
  })
}

/** A public record says where, and nothing of the status: without a new place it is silence. */
function wordOf(found: Found | null, moved: boolean): TrackerWord {
  if (found === null || (found.status === 'unknown' && !moved)) return { kind: 'silent' }
  return { kind: 'record', status: found.status === 'offline' ? 'offline' : 'online', moved }
}

function again(turn: Turn, reach: Reach): void {
  reach.phase = 'recheck'
  reach.tried = turn.view.contact(reach.who)?.endpoints ?? []
  reach.left = [...reach.tried]
  dialNext(turn, reach)
}

function settle(turn: Turn, reach: Reach, status: Presence, how: 'check' | 'tracker'): void {
  noteStatus(turn, reach.who, status, how)
  answerAsked(turn, reach, status, how)
  reach.phase = 'idle'
  reach.quietUntil = turn.now + QUIET_MS
  if (!isWanted(turn, reach.who)) return
  const wait = backOff(reach)
  reach.nextAt = turn.soon(wait, wait / 2)
}

function backOff(reach: Reach): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(reach.attempt++, 16))
}

/** A dial that has not been answered is taken back; a handshake under way may finish, and then one link stays. */
function endRound(turn: Turn, reach: Reach): void {
  const carrier = reach.carrier === null ? undefined : turn.node.carriers.get(reach.carrier)
  reach.round++
  reach.phase = 'idle'
  reach.carrier = null
  if (carrier instanceof Dialling) drop(turn, carrier)
}

function checkOver(turn: Turn, link: Link): void {
  beginCheck(turn, link, (later) => {
    const reach = reachOf(later, link.who)
    noteStatus(later, link.who, 'online', 'check')
    answerAsked(later, reach, 'online', 'check')
  })
}

function answerAsked(turn: Turn, reach: Reach, status: Presence, how: string): void {
  turn.answer(reach.asked.splice(0), { kind: 'check', status, how, age: 0 })
}
