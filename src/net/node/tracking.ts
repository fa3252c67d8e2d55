import { isSottoError } from '../../foundation/errors.js'
import type { Ticket } from '../effects.js'
import {
  type ClientEffect,
  type ClientInput,
  createTrackerClient,
  stepTrackerClient,
  type TrackerClient,
} from '../tracker/client.js'
import type { NodeState } from './state.js'
import type { Turn } from './turn.js'

/** How a ticket at a tracker ended. */
export type TrackerOutcome = Extract<
  ClientEffect,
  { kind: 'put-done' | 'query-done' | 'ping-done' | 'failed' }
>
type Then = (turn: Turn, outcome: TrackerOutcome) => void
type Work = Extract<ClientInput, { kind: 'put' | 'query' | 'ping' }>
/** What to ask of a tracker; the ticket is given here. */
export type Errand = { [W in Work as W['kind']]: Omit<W, 'ticket'> }[Work['kind']]

/** One tracker that the user listed, and what is under way there. */
export interface TrackerSeat {
  readonly url: string
  client: TrackerClient
  wakeAt: number
  readonly pending: Map<Ticket, Then>
}

/** One client for each tracker of the view; who was removed ends what was under way. */
export function seatTrackers(turn: Turn): void {
  const wanted = new Set(turn.view.trackers().map((tracker) => tracker.url))
  for (const url of wanted) if (!turn.node.trackers.has(url)) seatTracker(turn, url)
  for (const seat of [...turn.node.trackers.values()]) {
    if (wanted.has(seat.url)) continue
    turn.node.trackers.delete(seat.url)
    for (const [ticket, then] of [...seat.pending]) then(turn, { kind: 'failed', ticket })
  }
}

/** Runs an errand at one tracker; `then` hears how it ended, once. */
export function run(turn: Turn, seat: TrackerSeat, errand: Errand, then: Then): void {
  const ticket = turn.node.nextTicket++
  seat.pending.set(ticket, then)
  step(turn, seat, { ...errand, ticket })
}

export function trackerDatagram(turn: Turn, url: string, bytes: Uint8Array): void {
  const seat = turn.node.trackers.get(url)
  if (seat !== undefined) step(turn, seat, { kind: 'datagram', bytes })
}

export function nextTracker(node: NodeState): number {
  let next = Infinity
  for (const seat of node.trackers.values()) next = Math.min(next, seat.wakeAt)
  return next
}

export function dueTrackers(turn: Turn): void {
  for (const seat of [...turn.node.trackers.values()]) {
    if (seat.wakeAt > turn.now) continue
    seat.wakeAt = Infinity
    step(turn, seat, { kind: 'wake' })
  }
}

/** A URL that this version cannot read is no tracker; `tracker-check` tells. */
function seatTracker(turn: Turn, url: string): void {
  try {
    const client = createTrackerClient(url)
    turn.node.trackers.set(url, { url, client, wakeAt: Infinity, pending: new Map() })
  } catch (error) {
    if (!isSottoError(error)) throw error
  }
}

function step(turn: Turn, seat: TrackerSeat, input: ClientInput): void {
  const [client, effects] = stepTrackerClient(seat.client, input, turn.now, turn.rng)
  seat.client = client
  for (const effect of effects) perform(turn, seat, effect)
}

function perform(turn: Turn, seat: TrackerSeat, effect: ClientEffect): void {
  if (effect.kind === 'datagram') {
    turn.emit({ ...effect, tracker: seat.url })
    return
  }
  if (effect.kind === 'wake') {
    seat.wakeAt = Math.min(seat.wakeAt, effect.at)
    return
  }
  const then = seat.pending.get(effect.ticket)
  seat.pending.delete(effect.ticket)
  then?.(turn, effect)
}
