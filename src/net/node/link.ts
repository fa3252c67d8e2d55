import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import type { CarrierId } from '../effects.js'
import type { Announced } from '../links/announcement.js'
import type { Role } from '../links/handshake.js'
import { type LinkFrame, openFrame, sealFrame, type Session } from '../links/session.js'
import { answerCheck } from '../presence/check.js'
import { answered, type LinkCheck } from './checks.js'
import { type Carrier, drop, sendOn } from './carriers.js'
import { acknowledged, pump } from './delivery.js'
import { learnEndpoints } from './endpoints.js'
import { HandedOut } from './handed-out.js'
import { arrived, type Arrivals, noArrivals } from './receiving.js'
import { toldOfDevice } from './own-device.js'
import { heardHave, ponged } from './reconciling.js'
import { ifAllowed } from './standing.js'
import type { Turn } from './turn.js'

const PING_AFTER_MS = 25_000
const PING_SPREAD_MS = 5_000
/** A peer not heard for so long is gone, whatever the carrier says. */
const DEAD_AFTER_MS = 60_000

export interface LinkStart {
  readonly id: CarrierId
  readonly who: UserId
  readonly role: Role
  readonly session: Session
  readonly peer: Announced
  /** When its carrier was dialled or accepted. */
  readonly openedAt: number
  ended(turn: Turn, link: Link): void
}

/** An established link with a contact (SPEC § 6.5). */
export class Link implements Carrier {
  readonly id: CarrierId
  readonly who: UserId
  readonly role: Role
  readonly openedAt: number
  readonly establishedAt: number
  readonly peer: Announced
  session: Session
  saidHave = false
  heardHave = false
  /** Letters sent here and not yet acknowledged. */
  readonly inFlight = new HandedOut()
  readonly arrivals: Arrivals = noArrivals()
  check: LinkCheck | null = null
  readonly #ended: LinkStart['ended']
  #heardAt: number
  #pingAt: number

  constructor(start: LinkStart, turn: Turn) {
    this.id = start.id
    this.who = start.who
    this.role = start.role
    this.openedAt = start.openedAt
    this.session = start.session
    this.peer = start.peer
    this.#ended = (later, link) => start.ended(later, link)
    this.establishedAt = turn.now
    this.#heardAt = turn.now
    this.#pingAt = turn.soon(PING_AFTER_MS, PING_SPREAD_MS)
  }

  get deadline(): number {
    const silence = Math.min(this.#heardAt + DEAD_AFTER_MS, this.check?.deadline ?? Infinity)
    return Math.min(this.#pingAt, silence, this.inFlight.pumpAt)
  }

  send(turn: Turn, frame: LinkFrame): void {
    const [session, bytes] = sealFrame(this.session, frame)
    this.session = session
    sendOn(turn, this, bytes)
  }

  dialled(): void {
    // It is up already.
  }

  message(turn: Turn, bytes: Uint8Array): void {
    const opened = openFrame(this.session, bytes)
    if (opened === null) {
      drop(turn, this)
      return
    }
    this.session = opened[0]
    this.#heardAt = turn.now
    this.#take(turn, opened[1])
  }

  closed(turn: Turn): void {
    this.#ended(turn, this)
  }

  due(turn: Turn): void {
    if (turn.now >= this.#heardAt + DEAD_AFTER_MS) {
      drop(turn, this)
      return
    }
    if (this.check !== null && turn.now >= this.check.deadline) {
      drop(turn, this)
      return
    }
    if (turn.now >= this.inFlight.pumpAt) pump(turn, this)
    if (turn.now < this.#pingAt) return
    this.#pingAt = turn.soon(PING_AFTER_MS, PING_SPREAD_MS)
    this.send(turn, { type: 'ping' })
  }

  /** Says goodbye, and goes. */
  leave(turn: Turn): void {
    this.send(turn, { type: 'close' })
    drop(turn, this)
  }

  /** Tells which device stands against the one at the other end, and goes. */
  turnAway(turn: Turn, statement: Uint8Array): void {
    this.send(turn, { type: 'superseded', statement })
    this.leave(turn)
  }

  #take<T extends LinkFrame['type']>(turn: Turn, frame: Extract<LinkFrame, { type: T }>): void {
    FRAMES[frame.type](turn, this, frame)
  }

  answerCheck(turn: Turn, nonce: Uint8Array): void {
    const row = turn.view.contact(this.who)
    const answer = row && ifAllowed(() => answerCheck(turn.vault, row, this.session, nonce))
    if (answer) this.send(turn, { type: 'answer', ...answer })
  }
}

type Frames = {
  readonly [T in LinkFrame['type']]: (turn: Turn, link: Link, frame: Extract<LinkFrame, { type: T }>) => void
}

const FRAMES: Frames = {
  letter: (turn, link, { bytes }) => arrived(turn, link, bytes),
  ack: (turn, link, { messageId, what }) => acknowledged(turn, link, messageId, what),
  check: (turn, link, { nonce }) => link.answerCheck(turn, nonce),
  answer: (turn, link, frame) => answered(turn, link, frame),
  ping: (turn, link) => link.send(turn, { type: 'pong' }),
  pong: (turn, link) => ponged(turn, link),
  endpoints: (turn, link, { endpoints }) => learnEndpoints(turn, link.who, endpoints, 'link'),
  superseded: (turn, link, { statement }) => toldOfDevice(turn, link.who, statement),
  have: (turn, link, have) => heardHave(turn, link, have),
  close: (turn, link) => drop(turn, link),
  unknown: () => undefined,
}

/** Where we are reached; nothing to say for who listens nowhere. */
export function sayEndpoints(turn: Turn, link: Link, endpoints: readonly Endpoint[]): void {
  if (endpoints.length > 0) link.send(turn, { type: 'endpoints', endpoints })
}
