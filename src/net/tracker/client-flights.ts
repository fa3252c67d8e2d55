import type { Ticket } from '../effects.js'
import { MAX_TRIES, timeoutOf } from './backoff.js'
import type { Errand, Flight, Turn, Want } from './client-state.js'
import { sealRequest } from './datagram.js'
import { KEY_PREFIX_BYTES, MAX_QUERY_KEYS, type TrackerRequest } from './operations.js'

const MAX_FLIGHTS = 8
const ID_MASK = 0xffffffff
const ID_BYTES = 4

/** Sends what waits, as far as the window allows. Call only with a session. */
export function launch(turn: Turn): void {
  const { client } = turn
  while (client.flights.size < MAX_FLIGHTS) {
    const errand = nextErrand(turn)
    if (errand === null) return
    const id = freshId(turn)
    const flight = { id, errand, request: requestOf(errand), tries: 0, renewals: 0, sentAt: 0, nextAt: 0 }
    client.flights.set(id, flight)
    sendFlight(turn, flight)
  }
}

export function sendFlight({ client, now, rng, out }: Turn, flight: Flight): void {
  if (client.session === null) return
  flight.tries += 1
  flight.sentAt = now
  flight.nextAt = now + timeoutOf(flight.tries, rng)
  out.push({ kind: 'datagram', bytes: sealRequest(client.session.keys, flight.id, flight.request, rng) })
}

/** Those whose answer is overdue; while a hello is on its way nothing is. */
export function overdue({ client, now }: Turn): readonly Flight[] {
  return client.session === null ? [] : [...client.flights.values()].filter((flight) => flight.nextAt <= now)
}

export function isSpent(flight: Flight): boolean {
  return flight.tries >= MAX_TRIES
}

export function failFlight(turn: Turn, flight: Flight): void {
  turn.client.flights.delete(flight.id)
  for (const ticket of ticketsOf(flight.errand)) failTicket(turn, ticket)
}

/** Nobody is there: every ticket ends. */
export function failEverything(turn: Turn): void {
  const { client } = turn
  const waiting = [...client.puts.map((put) => put.ticket), ...client.pings, ...client.queries.keys()]
  const flying = [...client.flights.values()].flatMap(({ errand }) => ticketsOf(errand))
  client.puts = []
  client.pings = []
  client.flights.clear()
  for (const ticket of new Set([...waiting, ...flying])) failTicket(turn, ticket)
}

/** A query fails as a whole: what else of it waits or flies is forgotten with it. */
export function failTicket({ client, out }: Turn, ticket: Ticket): void {
  client.queries.delete(ticket)
  client.wants = client.wants.filter((want) => want.ticket !== ticket)
  out.push({ kind: 'failed', ticket })
}

function ticketsOf(errand: Errand): readonly Ticket[] {
  if (errand.op === 'put') return [errand.put.ticket]
  return errand.op === 'ping' ? [errand.ticket] : [...new Set(errand.wants.map((want) => want.ticket))]
}

/** A ping first, because somebody looks at it; then queries, because somebody waits for them; then puts. */
function nextErrand({ client, now }: Turn): Errand | null {
  const ping = client.pings.shift()
  if (ping !== undefined) return { op: 'ping', ticket: ping }
  const wants = client.wants.splice(0, MAX_QUERY_KEYS)
  if (wants.length > 0) return { op: 'query', wants }
  const due = client.puts.findIndex((put) => put.notBefore <= now)
  const [put] = due < 0 ? [] : client.puts.splice(due, 1)
  return put === undefined ? null : { op: 'put', put }
}

function requestOf(errand: Errand): TrackerRequest {
  if (errand.op === 'ping') return { op: 'ping' }
  if (errand.op === 'put') return { op: 'put', record: errand.put.record }
  return { op: 'query', keys: errand.wants.map(keyQuery) }
}

function keyQuery({ asked }: Want) {
  return { prefix: asked.key.subarray(0, KEY_PREFIX_BYTES), known: asked.known }
}

function freshId({ client, rng }: Turn): number {
  if (client.nextId === 0) client.nextId = rng.bytes(ID_BYTES).readUInt32BE()
  client.nextId = (client.nextId + 1) & ID_MASK
  return client.nextId >>> 0
}
