import { isSottoError } from '../src/foundation/errors.js'
import { x25519Public } from '../src/foundation/crypto.js'
import type { Rng } from '../src/foundation/rng.js'
import {
  decodeHello,
  encodeAgain,
  helloKey,
  MAX_DATAGRAM_BYTES,
  openRequest,
  parseRequest,
  sealWelcome,
  sessionKeys,
  sessionOf,
  TYPE,
} from '../src/net/tracker/datagram.js'
import type { TrackerRequest } from '../src/net/tracker/operations.js'
import { Admission } from './admission.js'
import { answerQuery } from './answer-query.js'
import { DEFAULT_LIMITS, type TrackerLimits } from './limits.js'
import { finishPuts, takePut, verifyPuts } from './puts.js'
import { type AcceptedRecord, RecordTable } from './record-table.js'
import { epochsAt, openSession, type Peer, sessionKeyOf } from './sessions.js'
import { TokenTable } from './token-table.js'
import {
  admits,
  type Asker,
  reply,
  type TrackerEffect,
  type TrackerInput,
  type TrackerState,
  type Turn,
} from './turn.js'

export type { TrackerEffect, TrackerInput, TrackerState } from './turn.js'

/** Hellos are counted over all senders too; the one bucket has no sender. */
const EVERYONE = Buffer.alloc(8)

export function createTracker(
  secret: Uint8Array,
  now: number,
  rng: Rng,
  limits: TrackerLimits = DEFAULT_LIMITS,
): TrackerState {
  return {
    ...{ secret, public: x25519Public(secret), limits, table: new RecordTable() },
    admission: new Admission(limits.allowances, limits.slots, now, rng),
    hellos: new TokenTable(1, limits.hellos),
    epochs: epochsAt(null, now, rng),
    ...{ queue: [], batches: new Map(), nextBatch: 0, logged: 0, compacting: false },
  }
}

/** A record of the log, in its order, before the first step. */
export function replay(state: TrackerState, accepted: AcceptedRecord): void {
  state.table.apply(accepted)
  state.table.sweep(accepted.at)
  state.logged += 1
}

/** Checks in this order: size, session, allowances, seq, and the signature last, from a bounded queue. */
export function stepTracker(
  state: TrackerState,
  input: TrackerInput,
  now: number,
  rng: Rng,
): [TrackerState, TrackerEffect[]] {
  const turn: Turn = { state, now, rng, out: [] }
  state.epochs = epochsAt(state.epochs, now, rng)
  state.table.sweep(now)
  if (input.kind === 'datagram') onDatagram(turn, input.bytes, input.from)
  else if (input.kind === 'verify') verifyPuts(turn)
  else if (input.kind === 'stored') finishPuts(turn, input.batch)
  else onCompacted(turn, input.leftOut)
  return [state, turn.out]
}

/** Nothing is answered by more bytes than came, unless a session proves that the sender is where it says. */
function onDatagram(turn: Turn, bytes: Uint8Array, from: Peer): void {
  // Port 0 stands only in a datagram made by hand: nothing can be sent there, and a socket that is asked to throws.
  if (bytes.length > MAX_DATAGRAM_BYTES || from.port === 0) return
  if (bytes[0] === TYPE.hello) onHello(turn, bytes, from)
  else if (bytes[0] === TYPE.request) onRequest(turn, bytes, from)
}

function onHello(turn: Turn, bytes: Uint8Array, from: Peer): void {
  const { state, now, rng, out } = turn
  const e = decodeHello(bytes)
  if (e === null || !admits(turn, 'unproven', from) || !state.hellos.has(EVERYONE, 1, now)) return
  state.hellos.spend(EVERYONE, 1, now)
  const key = agree(state, e)
  if (key === null) return
  const welcome = { ...openSession(state.epochs, from, now, rng), now, workBits: 0 }
  out.push({ kind: 'reply', to: from, bytes: sealWelcome(key, e, welcome, rng) })
}

function agree(state: TrackerState, e: Uint8Array): Uint8Array | null {
  try {
    return helloKey(state.secret, e, e, state.public)
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}

function onRequest(turn: Turn, bytes: Uint8Array, from: Peer): void {
  const session = sessionOf(bytes)
  if (session === null) return
  const sessionKey = sessionKeyOf(turn.state.epochs, session, from)
  const keys = sessionKey && sessionKeys(session, sessionKey)
  const plain = keys && openRequest(keys, bytes)
  if (keys === null || plain === null) {
    askAgain(turn, session, from)
    return
  }
  const parsed = parseRequest(plain)
  if (parsed !== null) serve(turn, { from, keys, id: parsed.id }, parsed.request)
}

function askAgain(turn: Turn, session: Uint8Array, from: Peer): void {
  if (!admits(turn, 'unproven', from)) return
  turn.out.push({ kind: 'reply', to: from, bytes: encodeAgain(session) })
}

/** Too many requests are dropped, not refused: the asker's back-off is the answer. Puts are told to slow down. */
function serve(turn: Turn, asker: Asker, request: TrackerRequest): void {
  if (!admits(turn, 'request', asker.from)) return
  if (request.op === 'put') takePut(turn, asker, request.record)
  else if (request.op === 'ping') reply(turn, asker, { op: 'ping', now: turn.now })
  else reply(turn, asker, { op: 'query', answers: answerQuery(turn.state, request.keys, turn.now) })
}

function onCompacted({ state }: Turn, leftOut: number): void {
  state.compacting = false
  state.logged -= leftOut
  state.table.release()
}
