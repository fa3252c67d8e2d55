import type { IncomingMessage } from 'node:http'
import type { View } from '../../projections/view.js'
import type { Clock } from '../clock.js'
import type { Proven } from '../effects.js'
import { PROOF_BYTES, proofOfCookie, verifyProof, type ContactToken } from '../links/proof.js'
import { ReplayCache } from '../links/replay-cache.js'
import { proofHostOf } from './address.js'

/** The last two monthly introduction keys serve (SPEC § 6.2). */
const LIVE_INTRODUCTIONS = 2
/** Checked in place of a proof when there is none, so that every request takes as long. */
export const NO_PROOF = new Uint8Array(PROOF_BYTES)
const WEBSOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/
const SESSION_COOKIE = /(?:^|; )sid=([^;]*)(?:;|$)/

export interface AdmissionEvents {
  /** A request had the form of a caller's, but its proof is wrong, stale or used. */
  onRefused(): void
  /** Who may come in cannot be read; told once until it can be again. */
  onFault(error: unknown): void
}

/** Who a request comes from: the secret behind its cookie is the only thing that counts. */
export class Admission {
  readonly #view: View
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #events: AdmissionEvents
  #damaged = false
  readonly #replays = new ReplayCache()
  #tokens: { readonly seq: number; readonly list: readonly ContactToken[] } = { seq: -1, list: [] }

  constructor(view: View, clock: Clock, events: AdmissionEvents) {
    this.#view = view
    this.#clock = clock
    this.#startedAt = clock.now()
    this.#events = events
  }

  /** Never throws, for it runs inside the HTTP parser: while our own records are damaged, nobody has a proof. */
  examine(request: IncomingMessage): Proven | null {
    try {
      const proven = this.#examine(request)
      this.#damaged = false
      return proven
    } catch (error) {
      if (!this.#damaged) this.#events.onFault(error)
      this.#damaged = true
      return null
    }
  }

  #examine(request: IncomingMessage): Proven | null {
    const proof = proofOf(request)
    const proven = verifyProof({
      proof: proof ?? NO_PROOF,
      method: request.method ?? '',
      path: request.url ?? '',
      host: proofHostOf(request.headers.host ?? ''),
      now: this.#clock.now(),
      startedAt: this.#startedAt,
      contacts: this.#contacts(),
      introductions: this.#view.self()?.introductionKeys.slice(-LIVE_INTRODUCTIONS) ?? [],
      replays: this.#replays,
    })
    if (proof !== null && proven === null) this.#events.onRefused()
    return proof === null ? null : proven
  }

  /** What our contacts show us to get in. */
  #contacts(): readonly ContactToken[] {
    const { seq } = this.#view
    if (this.#tokens.seq !== seq) {
      const list = this.#view.contacts().flatMap(({ id, state, admits }) => {
        return admits === null || state === 'blocked' ? [] : [{ who: id, token: admits }]
      })
      this.#tokens = { seq, list }
    }
    return this.#tokens.list
  }
}

/** The cookie of a request that WebSocket could go on from; everything else is not examined for what it says. */
export function proofOf(request: IncomingMessage): Buffer | null {
  const { headers, method, httpVersion } = request
  const ordinary =
    method === 'GET' &&
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    WEBSOCKET_KEY.test(headers['sec-websocket-key'] ?? '')
  const cookie = SESSION_COOKIE.exec(headers.cookie ?? '')?.[1]
  return ordinary && cookie !== undefined ? proofOfCookie(cookie) : null
}
