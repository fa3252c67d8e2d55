import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import type { ContactRow } from '../../projections/view.js'
import type { IntroResult, RequestBody } from '../links/intro.js'
import type { Found } from '../tracker/lookup.js'
import { learnEndpoints } from './endpoints.js'
import { type Hello, introduce } from './introducing.js'
import { lookUp } from './lookups.js'
import { isSilent } from './standing.js'
import type { NodeState } from './state.js'
import type { Turn } from './turn.js'

const FIRST_RETRY_MS = 3_000
const LAST_RETRY_MS = 600_000
/** They said busy or refused: not soon again. */
const UNWELCOME_MS = 600_000

/** A friend request of ours that is not durable at the other side yet. */
export interface OutgoingRequest {
  readonly who: UserId
  attempt: number
  /** Infinity while it is under way. */
  nextAt: number
}

type Requested = ContactRow & { readonly admits: Uint8Array }

export function request(turn: Turn, who: UserId): void {
  if (isOpen(turn.view.contact(who))) turn.node.requests.set(who, { who, attempt: 0, nextAt: turn.now })
}

/** At the start: what an earlier run did not finish. */
export function requestAll(turn: Turn): void {
  for (const { id } of turn.view.contacts()) if (!turn.node.requests.has(id)) request(turn, id)
}

export function nextRequest(node: NodeState): number {
  let next = Infinity
  for (const each of node.requests.values()) next = Math.min(next, each.nextAt)
  return next
}

export function dueRequests(turn: Turn): void {
  for (const each of [...turn.node.requests.values()]) if (each.nextAt <= turn.now) begin(turn, each)
}

function isOpen(row: ContactRow | undefined): row is Requested {
  return row?.state === 'requested' && !row.requestSent && row.admits !== null
}

/** Accepted, withdrawn or blocked meanwhile: there is nothing left to ask. */
function rowOf(turn: Turn, outgoing: OutgoingRequest): Requested | null {
  const row = turn.view.contact(outgoing.who)
  if (turn.node.requests.get(outgoing.who) !== outgoing) return null
  if (isOpen(row)) return row
  turn.node.requests.delete(outgoing.who)
  return null
}

function begin(turn: Turn, outgoing: OutgoingRequest): void {
  outgoing.nextAt = Infinity
  if (rowOf(turn, outgoing) === null) return
  if (isSilent(turn)) {
    retry(turn, outgoing)
    return
  }
  lookUp(turn, outgoing.who, null, (later, found) => {
    if (rowOf(later, outgoing) === null) return
    if (!found?.introduction) {
      retry(later, outgoing)
      return
    }
    learnEndpoints(later, outgoing.who, found.endpoints, 'tracker', (known) => meet(known, outgoing, found))
  })
}

function meet(turn: Turn, outgoing: OutgoingRequest, found: Found): void {
  const row = rowOf(turn, outgoing)
  if (row === null || found.introduction === null) return
  introduce(turn, {
    who: row.id,
    introduction: found.introduction,
    endpoints: [...row.endpoints],
    request: bodyOf(turn, row),
    hello: (later, hello) => pin(later, row.id, hello),
    result: (later, result) => decided(later, outgoing, result),
    failed: (later) => retry(later, outgoing),
  })
}

function bodyOf(turn: Turn, row: Requested): RequestBody {
  const self = turn.view.self()
  const endpoints: readonly Endpoint[] = turn.node.listening ?? self?.endpoints ?? []
  const card = { nickname: self?.nickname ?? '', ...(self?.avatar ? { avatar: self.avatar } : {}) }
  const text = row.text === null ? {} : { text: row.text }
  return { ...card, ...text, token: row.admits, endpoints, at: row.at }
}

/**
 * Who stands behind the ID is pinned at the first hello. Another key later gets nothing from us; it is recorded once, and
 * raises doubt.
 */
function pin(turn: Turn, id: UserId, { identity, card }: Hello): boolean {
  const row = turn.view.contact(id)
  if (row === undefined) return false
  const same = row.spki === null || equalBytes(row.spki, identity.spki)
  if (row.spki === null || (!same && row.doubt === null)) {
    const { certificate, spki } = identity
    turn.append([{ type: 'ContactLearned', data: { id, certificate, spki, ...(card ?? { nickname: '' }) } }])
  }
  return same
}

function decided(turn: Turn, outgoing: OutgoingRequest, result: IntroResult): void {
  if (rowOf(turn, outgoing) === null) return
  if (result !== 'queued') {
    outgoing.nextAt = turn.soon(UNWELCOME_MS, UNWELCOME_MS)
    return
  }
  turn.node.requests.delete(outgoing.who)
  turn.append([{ type: 'FriendRequestSent', data: { id: outgoing.who } }])
}

function retry(turn: Turn, outgoing: OutgoingRequest): void {
  const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(outgoing.attempt++, 16))
  outgoing.nextAt = turn.soon(wait, wait / 2)
}
