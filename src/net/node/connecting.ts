import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import type { ContactRow } from '../../projections/view.js'
import { proofHostOf } from '../gate/address.js'
import type { CarrierId, Proven } from '../effects.js'
import {
  beginHandshake,
  type Handshake,
  type HandshakeEffect,
  type Role,
  stepHandshake,
} from '../links/handshake.js'
import { type ContactProof, makeContactProof } from '../links/proof.js'
import { abandon, type Carrier, dial, drop, LINK_PATH, seat, sendOn } from './carriers.js'
import { established } from './linking.js'
import { openingsBusy, openOaep } from './openings.js'
import { ownAnnouncement } from './own-device.js'
import { complain } from './standing.js'
import type { Turn } from './turn.js'

/** A dial that says nothing, and a handshake that does not end (SPEC § 6.4). */
const DIAL_WITHIN_MS = 20_000
const HANDSHAKE_WITHIN_MS = 20_000
const MINUTE_MS = 60_000
const HANDSHAKES_A_MINUTE = 6

interface Call {
  readonly row: ContactRow
  readonly token: ContactProof
  readonly failed: (turn: Turn) => void
}

/** Dials a contact under the token it gave us; `failed` hears of no answer and of a handshake that came to nothing. */
export function call(
  turn: Turn,
  row: ContactRow & { readonly shows: Uint8Array },
  endpoint: Endpoint,
  failed: (turn: Turn) => void,
): CarrierId {
  const place = { path: LINK_PATH, host: proofHostOf(endpoint) }
  const token = makeContactProof({ token: row.shows, ...place, now: turn.now, rng: turn.rng })
  const request = { who: row.id, endpoint, proof: token.proof }
  return dial(turn, request, (id) => new Dialling(id, { row, token, failed }, turn.now))
}

/** A contact proved its token: a handshake, six a minute at most, the newest alone. */
export function admit(turn: Turn, id: CarrierId, proven: Extract<Proven, { kind: 'contact' }>): void {
  const row = turn.view.contact(proven.who)
  if (row === undefined || !mayEnter(turn, row)) {
    turn.emit({ kind: 'close', carrier: id })
    return
  }
  for (const other of [...turn.node.carriers.values()]) {
    if (other instanceof Handshaking && other.role === 'responder' && other.who === row.id) drop(turn, other)
  }
  const stage = new Handshaking(id, 'responder', row, turn.now, turn.now, () => undefined)
  seat(turn, stage)
  stage.begin(turn, proven.proof, proven.sessionKey)
}

function mayEnter(turn: Turn, row: ContactRow): boolean {
  const { node, now } = turn
  const known = row.certificate !== null && row.spki !== null
  if (!known || row.admits === null || row.state === 'blocked' || row.state === 'incoming') return false
  const recent = (node.admissions.get(row.id) ?? []).filter((at) => at > now - MINUTE_MS)
  if (recent.length >= HANDSHAKES_A_MINUTE || openingsBusy(node.openings)) return false
  node.admissions.set(row.id, [...recent, now])
  return true
}

/** Nothing has answered yet. */
export class Dialling implements Carrier {
  readonly who: UserId
  readonly deadline: number

  constructor(
    readonly id: CarrierId,
    readonly call: Call,
    readonly openedAt: number,
  ) {
    this.who = call.row.id
    this.deadline = openedAt + DIAL_WITHIN_MS
  }

  dialled(turn: Turn): void {
    const { row, token, failed } = this.call
    const stage = new Handshaking(this.id, 'initiator', row, this.openedAt, turn.now, failed)
    seat(turn, stage)
    stage.begin(turn, token.proof, token.sessionKey)
  }

  message(turn: Turn): void {
    drop(turn, this)
  }

  closed(turn: Turn): void {
    this.call.failed(turn)
  }

  due(turn: Turn): void {
    drop(turn, this)
  }

  leave(turn: Turn): void {
    abandon(turn, this)
  }
}

/** The exchange of SPEC § 6.4, until it is a link or nothing. */
class Handshaking implements Carrier {
  readonly who: UserId
  readonly deadline: number
  #state: Handshake | null = null

  constructor(
    readonly id: CarrierId,
    readonly role: Role,
    readonly row: ContactRow,
    readonly openedAt: number,
    startedAt: number,
    readonly failed: (turn: Turn) => void,
  ) {
    this.who = row.id
    this.deadline = startedAt + HANDSHAKE_WITHIN_MS
  }

  begin(turn: Turn, proof: Uint8Array, sessionKey: Uint8Array): void {
    const own = ownAnnouncement(turn)
    const params = { vault: turn.vault, row: this.row, proof, sessionKey, own }
    this.#go(turn, beginHandshake(this.role, params, turn.rng))
  }

  dialled(): void {
    // Heard already.
  }

  message(turn: Turn, bytes: Uint8Array): void {
    if (this.#state) this.#go(turn, stepHandshake(this.#state, { kind: 'message', bytes }, turn.rng))
  }

  closed(turn: Turn): void {
    this.failed(turn)
  }

  due(turn: Turn): void {
    drop(turn, this)
  }

  leave(turn: Turn): void {
    abandon(turn, this)
  }

  #go(turn: Turn, [state, effects]: [Handshake, HandshakeEffect[]]): void {
    this.#state = state
    for (const effect of effects) this.#perform(turn, effect)
  }

  #perform(turn: Turn, effect: HandshakeEffect): void {
    switch (effect.kind) {
      case 'send': {
        sendOn(turn, this, effect.bytes)
        return
      }
      case 'open-oaep': {
        openOaep(turn, effect.ciphertext, effect.label, (later, secret) => this.#opened(later, secret))
        return
      }
      case 'established': {
        const { id, who, role, openedAt } = this
        established(turn, { id, who, role, openedAt, session: effect.session, peer: effect.peer })
        return
      }
      case 'failed':
        complain(turn, this.who, 'proof', `handshake: ${effect.reason}`)
        {
          drop(turn, this)
          return
        }
    }
  }

  #opened(turn: Turn, secret: Uint8Array | null): void {
    if (this.#state === null || turn.node.carriers.get(this.id) !== this) return
    this.#go(turn, stepHandshake(this.#state, { kind: 'oaep-opened', secret }, turn.rng))
  }
}
