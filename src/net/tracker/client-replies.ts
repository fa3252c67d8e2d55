import { toHex } from '../../foundation/bytes.js'
import { jittered } from './backoff.js'
import { failTicket } from './client-flights.js'
import { heard } from './client-session.js'
import type { Flight, KeyAnswer, PutErrand, Turn, Want } from './client-state.js'
import { openReply } from './datagram.js'
import type { KeyReply, PutReply, TrackerReply } from './operations.js'

/** A tracker that answers nothing but "ask again" is not asked for ever. */
const MAX_ROUNDS = 16
const MAX_SLOW_DOWNS = 3
/** Longer than this, whoever asked for the put decides what to do. */
const MAX_SLOW_DOWN_SECONDS = 60
const MAX_UNKNOWN = 4096

/** Settles the flight the reply is for; anything that answers no question of ours is dropped. */
export function onReply(turn: Turn, bytes: Uint8Array): void {
  const { client } = turn
  const opened = client.session && openReply(client.session.keys, bytes)
  const flight = opened && client.flights.get(opened.id)
  if (!opened || !flight || !answers(flight, opened.reply)) return
  client.flights.delete(flight.id)
  heard(turn)
  settle(turn, flight, opened.reply)
}

/** Until when the tracker must not be asked for this key again, if it said so. */
export function isUnknown({ client, now }: Turn, key: Uint8Array): boolean {
  return (client.unknown.get(toHex(key)) ?? 0) > now
}

/** Takes down one answer; the query is done with its last. */
export function answerWant({ client, out }: Turn, ticket: number, index: number, answer: KeyAnswer): void {
  const job = client.queries.get(ticket)
  if (job === undefined || job.answers[index] !== null) return
  job.answers[index] = answer
  job.missing -= 1
  if (job.missing > 0) return
  client.queries.delete(ticket)
  out.push({ kind: 'query-done', ticket, answers: job.answers.filter((one) => one !== null) })
}

function answers({ errand }: Flight, reply: TrackerReply): boolean {
  if (errand.op === 'query' && reply.op === 'query') return errand.wants.length === reply.answers.length
  return errand.op === reply.op
}

function settle(turn: Turn, { errand, sentAt }: Flight, reply: TrackerReply): void {
  if (errand.op === 'put' && reply.op === 'put') settlePut(turn, errand.put, reply.outcome)
  else if (errand.op === 'query' && reply.op === 'query') settleQuery(turn, errand.wants, reply.answers)
  else if (errand.op === 'ping') {
    turn.out.push({ kind: 'ping-done', ticket: errand.ticket, latencyMs: turn.now - sentAt })
  }
}

function settleQuery(turn: Turn, wants: readonly Want[], replies: readonly KeyReply[]): void {
  again(
    turn,
    wants.filter((want, i) => !settleWant(turn, want, replies[i])),
  )
}

/** @returns false when the key must be asked for once more */
function settleWant(turn: Turn, { ticket, index, asked }: Want, answer: KeyReply | undefined): boolean {
  if (answer === undefined || answer.kind === 'ask-again') return false
  if (answer.kind === 'unknown') {
    rememberUnknown(turn, asked.key, answer.retrySeconds)
    answerWant(turn, ticket, index, { kind: 'unknown' })
  } else answerWant(turn, ticket, index, answer)
  return true
}

/** What had no room goes before everything else, so that a query is through before the next begins. */
function again(turn: Turn, wants: readonly Want[]): void {
  const { client } = turn
  const alive = wants.filter((want) => client.queries.has(want.ticket))
  client.wants.unshift(...alive.map((want) => ({ ...want, rounds: want.rounds + 1 })))
  const tired = new Set(client.wants.filter((want) => want.rounds > MAX_ROUNDS).map((want) => want.ticket))
  for (const ticket of tired) failTicket(turn, ticket)
}

function settlePut(turn: Turn, put: PutErrand, outcome: PutReply): void {
  const patient = outcome.kind === 'slow-down' && outcome.seconds <= MAX_SLOW_DOWN_SECONDS
  if (!patient || put.slowDowns >= MAX_SLOW_DOWNS) {
    turn.out.push({ kind: 'put-done', ticket: put.ticket, outcome })
    return
  }
  const pause = jittered(1000 * Math.max(1, outcome.seconds), turn.rng)
  turn.client.puts.push({ ...put, slowDowns: put.slowDowns + 1, notBefore: turn.now + pause })
}

function rememberUnknown({ client, now }: Turn, key: Uint8Array, seconds: number): void {
  const name = toHex(key)
  client.unknown.delete(name)
  if (seconds === 0) return
  client.unknown.set(name, now + 1000 * seconds)
  const [oldest] = client.unknown.keys()
  if (client.unknown.size > MAX_UNKNOWN && oldest !== undefined) client.unknown.delete(oldest)
}
