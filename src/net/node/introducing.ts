import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import { isSottoError } from '../../foundation/errors.js'
import { addressOf } from '../../keys/user-id.js'
import { proofHostOf } from '../gate/address.js'
import type { CarrierId } from '../effects.js'
import {
  beginIntro,
  type Intro,
  type IntroEffect,
  type IntroInput,
  type IntroResult,
  type RequestBody,
  stepIntro,
} from '../links/intro.js'
import { type IntroProof, makeIntroProof } from '../links/proof.js'
import { abandon, type Carrier, dial, drop, LINK_PATH, sendOn } from './carriers.js'
import type { Turn } from './turn.js'

const DIAL_WITHIN_MS = 20_000

export type Hello = Extract<IntroEffect, { kind: 'hello' }>

/** Who is met, and what is asked of them: null for a look-up, which ends with their hello. */
export interface Introduction {
  readonly who: UserId
  readonly introduction: Uint8Array
  readonly endpoints: readonly Endpoint[]
  readonly request: RequestBody | null
  /** False ends it here. */
  hello(turn: Turn, hello: Hello): boolean
  result(turn: Turn, result: IntroResult): void
  /** At no endpoint. */
  failed(turn: Turn): void
}

/** Meets someone of whom only the ID and the introduction key are known, at the first of their endpoints that works. */
export function introduce(turn: Turn, introduction: Introduction): void {
  const [endpoint, ...rest] = introduction.endpoints
  if (endpoint === undefined) {
    introduction.failed(turn)
    return
  }
  const { who } = introduction
  const proof = proofFor(turn, introduction.introduction, endpoint)
  if (proof === null) {
    introduction.failed(turn)
    return
  }
  const next = (later: Turn) => introduce(later, { ...introduction, endpoints: rest })
  dial(
    turn,
    { who, endpoint, proof: proof.proof },
    (id) => new Introducing(id, introduction, proof, turn.now, next),
  )
}

/** Null for an introduction key of small order: its owner published it, and nobody can be met by it. */
function proofFor(turn: Turn, introduction: Uint8Array, endpoint: Endpoint): IntroProof | null {
  const place = { path: LINK_PATH, host: proofHostOf(endpoint) }
  try {
    return makeIntroProof({ introduction, ...place, now: turn.now, rng: turn.rng })
  } catch (error) {
    if (!isSottoError(error)) throw error
    return null
  }
}

/** The initiator of SPEC § 6.3. */
class Introducing implements Carrier {
  readonly who: UserId
  #deadline: number
  #state: Intro | null = null
  #working = false
  #done = false

  constructor(
    readonly id: CarrierId,
    readonly introduction: Introduction,
    readonly proof: IntroProof,
    now: number,
    readonly next: (turn: Turn) => void,
  ) {
    this.who = introduction.who
    this.#deadline = now + DIAL_WITHIN_MS
  }

  /** While work is searched for, the next slice is due at once. */
  get deadline(): number {
    return this.#working ? 0 : this.#deadline
  }

  dialled(turn: Turn): void {
    const { introduction, request, who } = this.introduction
    const { proof, sessionKey, ephemeralSecret } = this.proof
    const keys = { introduction, proof, sessionKey, ephemeralSecret }
    const params = { vault: turn.vault, ...keys, expect: addressOf(who), request }
    this.#deadline = turn.now + DIAL_WITHIN_MS
    this.#go(turn, beginIntro('initiator', params, turn.rng))
  }

  message(turn: Turn, bytes: Uint8Array): void {
    this.#step(turn, { kind: 'message', bytes })
  }

  closed(turn: Turn): void {
    if (!this.#done) this.next(turn)
  }

  due(turn: Turn): void {
    if (turn.now >= this.#deadline) {
      drop(turn, this)
      return
    }
    this.#working = false
    this.#step(turn, { kind: 'work' })
  }

  leave(turn: Turn): void {
    this.#done = true
    abandon(turn, this)
  }

  #step(turn: Turn, input: IntroInput): void {
    if (this.#state !== null && !this.#done) this.#go(turn, stepIntro(this.#state, input, turn.now, turn.rng))
  }

  #go(turn: Turn, [state, effects]: [Intro, IntroEffect[]]): void {
    this.#state = state
    for (const effect of effects) if (!this.#done) this.#perform(turn, effect)
  }

  #perform(turn: Turn, effect: IntroEffect): void {
    switch (effect.kind) {
      case 'send': {
        sendOn(turn, this, effect.bytes)
        return
      }
      case 'work':
        this.#working = true
        return
      case 'hello': {
        this.#greeted(turn, effect)
        return
      }
      case 'result':
        this.#end(turn)
        {
          this.introduction.result(turn, effect.result)
          return
        }
      case 'request':
      case 'failed': {
        drop(turn, this)
        return
      }
    }
  }

  #greeted(turn: Turn, hello: Hello): void {
    const goOn = this.introduction.hello(turn, hello)
    if (!goOn || this.introduction.request === null) this.#end(turn)
  }

  #end(turn: Turn): void {
    this.#done = true
    drop(turn, this)
  }
}
