import type { Endpoint, Fact, StoredFact } from '../../events/vocabulary/facts.js'
import { isSottoError } from '../../foundation/errors.js'
import type { View } from '../../projections/view.js'
import type { CarrierId, Command, Effect, Input, Proven, Step, Ticket } from '../effects.js'
import type { Vault } from '../gate/vault.js'
import { LetterCache } from '../letters/letter.js'
import { INSTANCE_BYTES } from '../links/announcement.js'
import { type Carrier, drop, dueCarriers, gone, nextCarrierDeadline } from './carriers.js'
import { read, UNREAD } from './clock.js'
import { command } from './commands.js'
import { admit } from './connecting.js'
import { dueLookups, nextLookup, noLookups } from './lookups.js'
import { noOpenings, oaepOpened } from './openings.js'
import { dueOwnKeys, nextOwnKeys } from './own-keys.js'
import { dueOwnRecord, nothingAsked } from './own-records.js'
import {
  announceGoing,
  duePublishing,
  nextPublishing,
  nothingPublished,
  publishIfListening,
} from './publishing.js'
import { leaveAll, react } from './reactions.js'
import { dueReaches, nextReach, reachAll } from './reaching.js'
import { dueRequests, nextRequest, requestAll } from './requesting.js'
import { meetStranger } from './requested.js'
import { isAway, isSilent } from './standing.js'
import type { NodeState } from './state.js'
import { dueTrackers, nextTracker, seatTrackers, trackerDatagram } from './tracking.js'
import { Turn } from './turn.js'

export type { NodeState } from './state.js'

export interface NodeOptions {
  readonly view: View
  readonly vault: Vault
}

/** What is due may make more due at once; beyond this it waits for a wake of its own. */
const MAX_ROUNDS_A_STEP = 8
/** A timer of the system may be short (2³¹ ms) and its clock may be set: it is looked at once an hour at least. */
const LONGEST_REST_MS = 3_600_000

/**
 * A node that has not started. It numbers the carriers it dials from 1 up; the gate numbers those it accepts below zero, so
 * that the two never meet.
 */
export function createNode({ view, vault }: NodeOptions): NodeState {
  return {
    ...{ view, vault, phase: 'new', listening: null, ownKeysAt: Infinity, wakeAt: Infinity },
    ...{ nextCarrier: 1, nextTicket: 1, nextJob: 1 },
    ...{ carriers: new Map(), links: new Map(), reaches: new Map(), requests: new Map() },
    ...{ admissions: new Map(), complaints: new Map(), noting: new Map(), toldEndpoints: new Map() },
    ...{ moves: new Map(), losses: new Map(), peerDevices: new Map(), clock: UNREAD },
    instance: new Uint8Array(INSTANCE_BYTES),
    ...{ openings: noOpenings(), letterKeys: new Map(), letterCache: new LetterCache() },
    ...{ receiving: new Set(), delivering: new Set(), appended: new Map() },
    ...{
      trackers: new Map(),
      lookups: noLookups(),
      publishing: nothingPublished(),
      ownRecords: nothingAsked(),
    },
  }
}

/** The whole node: one input in, what it wants done out (src/net/effects.ts). */
export const stepNode: Step<NodeState, Input, Effect> = (state, input, now, rng) => {
  const turn = new Turn(state, now, rng)
  state.clock = read(state.clock, now)
  take(turn, input)
  catchUp(turn)
  return [state, turn.effects]
}

type Handlers = { readonly [K in Input['kind']]: (turn: Turn, input: Extract<Input, { kind: K }>) => void }

const HANDLERS: Handlers = {
  start: (turn) => start(turn),
  wake: (turn) => woken(turn),
  fact: (turn, { fact }) => factCame(turn, fact),
  appended: (turn, { ticket }) => appended(turn, ticket),
  listening: (turn, { endpoints }) => listen(turn, endpoints),
  accepted: (turn, { carrier, proven }) => guarded(turn, carrier, () => accept(turn, carrier, proven)),
  dialled: (turn, { carrier }) => guarded(turn, carrier, (seated) => seated?.dialled(turn)),
  'dial-failed': (turn, { carrier }) => gone(turn, carrier),
  closed: (turn, { carrier }) => gone(turn, carrier),
  message: (turn, { carrier, bytes }) => guarded(turn, carrier, (seated) => seated?.message(turn, bytes)),
  'oaep-opened': (turn, { job, secret }) => oaepOpened(turn, job, secret),
  datagram: (turn, { tracker, bytes }) => trackerDatagram(turn, tracker, bytes),
  command: (turn, { ticket, command: asked }) => obey(turn, ticket, asked),
  stop: (turn) => stop(turn),
}

function take<K extends Input['kind']>(turn: Turn, input: Extract<Input, { kind: K }>): void {
  HANDLERS[input.kind](turn, input)
}

function start(turn: Turn): void {
  turn.node.phase = 'running'
  turn.node.instance = turn.rng.bytes(INSTANCE_BYTES)
  seatTrackers(turn)
  dueOwnKeys(turn)
  publishIfListening(turn)
  requestAll(turn)
  reachAll(turn)
}

function woken(turn: Turn): void {
  if (turn.node.wakeAt <= turn.now) turn.node.wakeAt = Infinity
}

function factCame(turn: Turn, fact: StoredFact): void {
  if (turn.node.phase === 'running') react(turn, fact)
}

/** Where we listen is a fact, so that the log alone tells what friends were told; the fact sets the telling in motion. */
function listen(turn: Turn, endpoints: readonly Endpoint[]): void {
  turn.node.listening = endpoints
  const self = turn.view.self()
  if (self === undefined) return
  const status = isAway(turn) ? 'offline' : 'online'
  const fact: Fact = { type: 'OwnStatusChanged', data: { status, endpoints } }
  if (status !== self.status || !sameList(endpoints, self.endpoints)) turn.append([fact])
  else publishIfListening(turn)
  if (turn.node.phase === 'running') reachAll(turn)
}

function sameList(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i])
}

function accept(turn: Turn, carrier: CarrierId, proven: Proven): void {
  const here = turn.node.phase === 'running' && !isSilent(turn)
  if (!here) {
    turn.emit({ kind: 'close', carrier })
    return
  }
  if (proven.kind === 'contact') admit(turn, carrier, proven)
  else meetStranger(turn, carrier, proven)
}

/** Whatever a peer sends, it ends at most its own carrier. */
function guarded(turn: Turn, id: CarrierId, work: (carrier: Carrier | undefined) => void): void {
  try {
    work(turn.node.carriers.get(id))
  } catch (error) {
    if (!isSottoError(error)) throw error
    const seated = turn.node.carriers.get(id)
    if (seated === undefined) turn.emit({ kind: 'close', carrier: id })
    else drop(turn, seated)
  }
}

/** An ID that is none, say: whoever asked hears of it. */
function obey(turn: Turn, ticket: Ticket, asked: Command): void {
  try {
    command(turn, ticket, asked)
  } catch (error) {
    if (!isSottoError(error)) throw error
    turn.refuse(ticket, error.code)
  }
}

function appended(turn: Turn, ticket: Ticket): void {
  const then = turn.node.appended.get(ticket)
  turn.node.appended.delete(ticket)
  then?.(turn)
}

/** Says goodbye; what is left to do is the trackers' last word. */
function stop(turn: Turn): void {
  turn.node.phase = 'stopped'
  leaveAll(turn)
  announceGoing(turn)
}

function catchUp(turn: Turn): void {
  for (let round = 0; round < MAX_ROUNDS_A_STEP && nextDeadline(turn.node) <= turn.now; round++) due(turn)
  const next = Math.min(nextDeadline(turn.node), turn.now + LONGEST_REST_MS)
  if (next >= turn.node.wakeAt) return
  turn.node.wakeAt = next
  turn.emit({ kind: 'wake', at: Math.max(next, turn.now) })
}

function due(turn: Turn): void {
  dueTrackers(turn)
  dueLookups(turn)
  if (turn.node.phase !== 'running') return
  dueCarriers(turn)
  dueReaches(turn)
  dueRequests(turn)
  if (nextPublishing(turn.node) <= turn.now) duePublishing(turn)
  if (turn.node.ownRecords.nextAt <= turn.now) dueOwnRecord(turn)
  if (nextOwnKeys(turn.node) <= turn.now) dueOwnKeys(turn)
}

function nextDeadline(node: NodeState): number {
  const trackers = Math.min(nextTracker(node), nextLookup(node))
  if (node.phase !== 'running') return trackers
  const people = Math.min(nextCarrierDeadline(node), nextReach(node), nextRequest(node))
  const own = Math.min(nextPublishing(node), node.ownRecords.nextAt, nextOwnKeys(node))
  return Math.min(trackers, people, own)
}
