import { equalBytes, wipe } from '../../foundation/bytes.js'
import { KEY_BYTES, x25519Public } from '../../foundation/crypto.js'
import { MAX_TRIES, restOf, timeoutOf } from './backoff.js'
import { failEverything, failFlight, sendFlight } from './client-flights.js'
import type { Turn } from './client-state.js'
import { decodeAgain, encodeHello, helloKey, openWelcome, sessionKeys } from './datagram.js'

const MIN_SESSION_SECONDS = 10
const MAX_SESSION_SECONDS = 3600
/** A session is renewed when a tenth of its time is left. */
const RENEW_AT = 0.9
const MAX_RENEWALS = 3

/** True when requests can be sealed now; otherwise a hello is on its way. */
export function haveSession(turn: Turn): boolean {
  const { client, now } = turn
  if (client.session !== null && now < client.session.renewAt) return true
  client.session = null
  if (client.hello === null) beginHello(turn)
  return false
}

export function onWelcome(turn: Turn, bytes: Uint8Array): void {
  const { client, now } = turn
  if (client.hello === null) return
  const welcome = openWelcome(client.hello.key, client.hello.e, bytes)
  if (welcome === null) return
  const seconds = Math.min(MAX_SESSION_SECONDS, Math.max(MIN_SESSION_SECONDS, welcome.seconds))
  const keys = sessionKeys(welcome.session, welcome.sessionKey)
  client.session = { keys, renewAt: now + seconds * 1000 * RENEW_AT }
  client.hello = null
  heard(turn)
  for (const flight of client.flights.values()) sendFlight(turn, flight)
}

/** The tracker forgot the session: a new hello, then everything on its way once more. */
export function onAgain(turn: Turn, bytes: Uint8Array): void {
  const { client } = turn
  const session = decodeAgain(bytes)
  if (session === null || client.session === null || !equalBytes(session, client.session.keys.session)) return
  client.session = null
  for (const flight of [...client.flights.values()]) {
    flight.renewals += 1
    if (flight.renewals > MAX_RENEWALS) failFlight(turn, flight)
  }
}

/** Sends the hello again when its time has come, and gives up when nobody answers. */
export function helloTimer(turn: Turn): void {
  const { client, now } = turn
  if (client.hello === null || now < client.hello.nextAt) return
  if (client.hello.tries < MAX_TRIES) sendHello(turn)
  else giveUp(turn)
}

function giveUp(turn: Turn): void {
  turn.client.hello = null
  silent(turn)
  failEverything(turn)
}

/** Nobody answered: leave the tracker in peace for longer each time. */
export function silent({ client, now, rng }: Turn): void {
  client.failures += 1
  client.restUntil = now + restOf(client.failures, rng)
}

/** Somebody who holds the tracker's key answered. */
export function heard({ client }: Turn): void {
  client.failures = 0
  client.restUntil = 0
}

function beginHello(turn: Turn): void {
  const secret = turn.rng.bytes(KEY_BYTES)
  const e = x25519Public(secret)
  const tracker = turn.client.url.key
  turn.client.hello = { e, key: helloKey(secret, tracker, e, tracker), tries: 0, nextAt: 0 }
  wipe(secret)
  sendHello(turn)
}

function sendHello({ client, now, rng, out }: Turn): void {
  if (client.hello === null) return
  client.hello.tries += 1
  client.hello.nextAt = now + timeoutOf(client.hello.tries, rng)
  out.push({ kind: 'datagram', bytes: encodeHello(client.hello.e) })
}
