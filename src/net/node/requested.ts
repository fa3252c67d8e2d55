import type { Fact } from '../../events/vocabulary/facts.js'
import type { ContactRow } from '../../projections/view.js'
import type { CarrierId, Proven } from '../effects.js'
import {
  beginIntro,
  type Intro,
  type IntroEffect,
  type IntroInput,
  type IntroResult,
  stepIntro,
} from '../links/intro.js'
import { equalBytes } from '../../foundation/bytes.js'
import { abandon, type Carrier, drop, seat, sendOn } from './carriers.js'
import { queued } from './letters-out.js'
import { friendSecret } from './own-keys.js'
import type { Turn } from './turn.js'

const INTRO_WITHIN_MS = 20_000
const MAX_STRANGERS = 16
/** Requests that wait for the user's word; more are told `busy`. */
const MAX_PENDING = 100
/** Leading zero bits asked of a stranger (SPEC § 6.3). */
const WORK_BITS = 16
const TOKEN_BYTES = 32
const LIVE_INTRODUCTION_KEYS = 2

type Request = Extract<IntroEffect, { kind: 'request' }>

/** Someone who knows our ID and introduction key is at the door. */
export function meetStranger(turn: Turn, id: CarrierId, proven: Extract<Proven, { kind: 'intro' }>): void {
  const self = turn.view.self()
  const keys = self?.introductionKeys.slice(-LIVE_INTRODUCTION_KEYS) ?? []
  const key = keys.find((each) => equalBytes(each.public, proven.introduction))
  const strangers = [...turn.node.carriers.values()].filter((carrier) => carrier instanceof Introduced)
  if (self === undefined || key === undefined || strangers.length >= MAX_STRANGERS) {
    turn.emit({ kind: 'close', carrier: id })
    return
  }
  const { nickname, avatar, discoverable } = self
  const card = { nickname, ...(avatar ? { avatar } : {}), discoverable }
  const { ephemeral, proof, sessionKey } = proven
  const keyPair = { introductionSecret: key.secret, introductionPublic: key.public }
  const params = { vault: turn.vault, ...keyPair, ephemeral, proof, sessionKey, card, workBits: WORK_BITS }
  const stage = new Introduced(id, turn.now + INTRO_WITHIN_MS)
  seat(turn, stage)
  stage.go(turn, beginIntro('responder', params, turn.rng))
}

/** The responder of SPEC § 6.3. */
class Introduced implements Carrier {
  readonly who = null
  #state: Intro | null = null

  constructor(
    readonly id: CarrierId,
    readonly deadline: number,
  ) {}

  dialled(): void {
    // It was they who dialled.
  }

  message(turn: Turn, bytes: Uint8Array): void {
    this.#step(turn, { kind: 'message', bytes })
  }

  closed(): void {
    this.#state = null
  }

  due(turn: Turn): void {
    drop(turn, this)
  }

  leave(turn: Turn): void {
    abandon(turn, this)
  }

  go(turn: Turn, [state, effects]: [Intro, IntroEffect[]]): void {
    this.#state = state
    for (const effect of effects) this.#perform(turn, effect)
  }

  #step(turn: Turn, input: IntroInput): void {
    if (this.#state !== null) this.go(turn, stepIntro(this.#state, input, turn.now, turn.rng))
  }

  #perform(turn: Turn, effect: IntroEffect): void {
    if (effect.kind === 'send') {
      sendOn(turn, this, effect.bytes)
      return
    }
    if (effect.kind === 'request') {
      this.#judge(turn, effect)
      return
    }
    if (effect.kind === 'failed') drop(turn, this)
  }

  /** The answer follows when what it says is durable. */
  #judge(turn: Turn, request: Request): void {
    const { result, facts } = judge(turn, request)
    const tell = (later: Turn) => this.#step(later, { kind: 'decided', result })
    if (facts.length === 0) {
      tell(turn)
      return
    }
    turn.append(facts, tell)
  }
}

/**
 * Whom we blocked hears what everyone hears. Another key than the pinned one raises doubt and gets no further. Whom we
 * asked ourselves, or had accepted before, is accepted; an earlier request of the same person is replaced; everyone
 * else waits for the user, a hundred at most.
 */
function judge(turn: Turn, request: Request): { result: IntroResult; facts: Fact[] } {
  const row = turn.view.contact(request.id)
  if (request.id === turn.vault.id) return { result: 'refused', facts: [] }
  if (row?.state === 'blocked') return { result: 'queued', facts: [] }
  const came = receivedFact(request)
  if (row?.spki && !equalBytes(row.spki, request.identity.spki)) {
    return { result: 'queued', facts: row.doubt === null ? [came] : [] }
  }
  if (row?.state === 'requested' || row?.state === 'friend') {
    return { result: 'queued', facts: [came, ...acceptance(turn, row, row.state)] }
  }
  if (row === undefined && pendingRequests(turn) >= MAX_PENDING) return { result: 'busy', facts: [] }
  return { result: 'queued', facts: [came] }
}

function receivedFact({ id, identity, request }: Request): Fact {
  const { nickname, avatar, token, endpoints, text } = request
  const card = { nickname, ...(avatar ? { avatar } : {}) }
  const { certificate, spki } = identity
  const data = { id, certificate, spki, ...card, token, endpoints, ...(text === undefined ? {} : { text }) }
  return { type: 'FriendRequestReceived', data }
}

/**
 * The token they have from our own request stays good, whichever of the two they learn first. The acceptance says what
 * they were when we judged: a removal that reaches the log before it wins.
 */
function acceptance(turn: Turn, row: ContactRow, as: 'requested' | 'friend'): Fact[] {
  const { id } = row
  const self = turn.view.self()
  const token = row.admits ?? turn.rng.bytes(TOKEN_BYTES)
  const { secret, drawn } = friendSecret(turn)
  const card = { nickname: self?.nickname ?? '', ...(self?.avatar ? { avatar: self.avatar } : {}) }
  const endpoints = turn.node.listening ?? self?.endpoints ?? []
  const letter = queued(turn, id, { kind: 'friend-accept', body: { ...card, token, secret, endpoints } })
  return [...drawn, { type: 'FriendAccepted', data: { id, token, as } }, letter]
}

function pendingRequests(turn: Turn): number {
  return turn.view.contacts().filter((row) => row.state === 'incoming').length
}
