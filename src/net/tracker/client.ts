import { equalBytes } from '../../foundation/bytes.js'
import type { Rng } from '../../foundation/rng.js'
import type { Ticket } from '../effects.js'
import { failFlight, failTicket, isSpent, launch, overdue, sendFlight } from './client-flights.js'
import { answerWant, isUnknown, onReply } from './client-replies.js'
import { haveSession, helloTimer, onAgain, onWelcome, silent } from './client-session.js'
import type {
  AskedKey,
  ClientEffect,
  ClientInput,
  Flight,
  TrackerClient,
  Turn,
  Want,
} from './client-state.js'
import { TYPE } from './datagram.js'
import type { PutRecord } from './record.js'
import { parseTrackerUrl } from './url.js'

export type {
  AskedKey,
  ClientEffect,
  ClientInput,
  KeyAnswer,
  PutOutcome,
  TrackerClient,
} from './client-state.js'

/** Tickets under way at once; what comes on top fails at once. */
export const MAX_TICKETS = 256
/** Keys under way at once. */
export const MAX_KEYS = 2048

/** @throws bad-tracker-url */
export function createTrackerClient(url: string): TrackerClient {
  return {
    ...{ url: parseTrackerUrl(url), hello: null, session: null, nextId: 0 },
    ...{ puts: [], wants: [], pings: [], queries: new Map(), flights: new Map(), unknown: new Map() },
    ...{ failures: 0, restUntil: 0, wakeAt: null },
  }
}

/**
 * Session, retries, batching and back-off with one tracker (README). A silent tracker is left in peace for a while in
 * which puts and queries fail at once and only a ping, which somebody asked for by hand, tries again.
 */
export function stepTrackerClient(
  client: TrackerClient,
  input: ClientInput,
  now: number,
  rng: Rng,
): [TrackerClient, ClientEffect[]] {
  const turn: Turn = { client, now, rng, out: [] }
  if (client.wakeAt !== null && client.wakeAt <= now) client.wakeAt = null
  take(turn, input)
  helloTimer(turn)
  flightTimers(turn)
  if (hasWork(turn) && haveSession(turn)) launch(turn)
  askToWake(turn)
  return [client, turn.out]
}

function take(turn: Turn, input: ClientInput): void {
  if (input.kind === 'datagram') takeDatagram(turn, input.bytes)
  else if (input.kind === 'put') takePut(turn, input.ticket, input.record)
  else if (input.kind === 'query') takeQuery(turn, input.ticket, input.keys)
  else if (input.kind === 'ping') takePing(turn, input.ticket)
}

function takeDatagram(turn: Turn, bytes: Uint8Array): void {
  if (bytes[0] === TYPE.welcome) onWelcome(turn, bytes)
  else if (bytes[0] === TYPE.reply) onReply(turn, bytes)
  else if (bytes[0] === TYPE.again) onAgain(turn, bytes)
}

function takePut(turn: Turn, ticket: Ticket, record: PutRecord): void {
  supersede(turn, record)
  if (isResting(turn) || isFull(turn, 0)) turn.out.push({ kind: 'failed', ticket })
  else turn.client.puts.push({ ticket, record, notBefore: 0, slowDowns: 0 })
}

function takePing(turn: Turn, ticket: Ticket): void {
  if (isFull(turn, 0)) turn.out.push({ kind: 'failed', ticket })
  else turn.client.pings.push(ticket)
}

function takeQuery(turn: Turn, ticket: Ticket, keys: readonly AskedKey[]): void {
  const { client, out } = turn
  if (keys.length === 0) out.push({ kind: 'query-done', ticket, answers: [] })
  else if (isFull(turn, keys.length)) out.push({ kind: 'failed', ticket })
  else {
    client.queries.set(ticket, { answers: keys.map(() => null), missing: keys.length })
    for (const [index, asked] of keys.entries()) takeKey(turn, { ticket, index, asked, rounds: 0 })
    if (isResting(turn) && client.queries.has(ticket)) failTicket(turn, ticket)
  }
}

/** What the tracker said it does not know is not asked for again before its time. */
function takeKey(turn: Turn, want: Want): void {
  if (!isUnknown(turn, want.asked.key)) turn.client.wants.push(want)
  else answerWant(turn, want.ticket, want.index, { kind: 'unknown' })
}

/** An older put for the same key has nothing left to say. */
function supersede({ client, out }: Turn, { blinded, seq }: PutRecord): void {
  const older = (record: PutRecord) => record.seq < seq && equalBytes(record.blinded, blinded)
  const waiting = client.puts.filter(({ record }) => older(record)).map(({ ticket }) => ticket)
  client.puts = client.puts.filter(({ record }) => !older(record))
  const flying = [...client.flights.values()].flatMap(({ id, errand }) =>
    errand.op === 'put' && older(errand.put.record) ? [{ id, ticket: errand.put.ticket }] : [],
  )
  for (const { id } of flying) client.flights.delete(id)
  for (const ticket of [...waiting, ...flying.map((flight) => flight.ticket)]) {
    out.push({ kind: 'put-done', ticket, outcome: { kind: 'superseded' } })
  }
}

/** Sends overdue requests again; a spent one fails, and the session with it, since perhaps the tracker lost it. */
function flightTimers(turn: Turn): void {
  const late = overdue(turn)
  const spent = late.filter(isSpent)
  if (spent.length > 0) {
    turn.client.session = null
    silent(turn)
  }
  for (const flight of spent) failFlight(turn, flight)
  for (const flight of late.filter((one) => !isSpent(one))) sendFlight(turn, flight)
}

function hasWork({ client, now }: Turn): boolean {
  const ready = client.puts.some((put) => put.notBefore <= now)
  return ready || client.wants.length > 0 || client.pings.length > 0 || client.flights.size > 0
}

function isResting({ client, now }: Turn): boolean {
  return now < client.restUntil
}

function isFull({ client }: Turn, keys: number): boolean {
  const asked = [...client.queries.values()].reduce((sum, job) => sum + job.answers.length, 0)
  const flying = [...client.flights.values()].filter(({ errand }) => errand.op !== 'query').length
  const tickets = client.puts.length + client.pings.length + client.queries.size + flying
  return tickets >= MAX_TICKETS || asked + keys > MAX_KEYS
}

/** The earliest time something is due; asked for once. */
function askToWake({ client, out }: Turn): void {
  const due = [
    ...(client.hello === null ? [] : [client.hello.nextAt]),
    ...(client.session === null ? [] : [...client.flights.values()].map((flight: Flight) => flight.nextAt)),
    ...client.puts.filter((put) => put.notBefore > 0).map((put) => put.notBefore),
  ]
  const at = Math.min(...due)
  if (due.length === 0 || (client.wakeAt !== null && client.wakeAt <= at)) return
  client.wakeAt = at
  out.push({ kind: 'wake', at })
}
