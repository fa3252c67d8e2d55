import { isIP } from 'node:net'
import type { Endpoint, UserId } from '../../events/vocabulary/facts.js'
import type { AllowRow } from '../../projections/view.js'
import { sameBlock, scopeOf, splitEndpoint, type HostPort } from './address.js'

/** `tor` has no way out yet, and so lets nothing out: better silent than in the clear. */
export type Mode = 'normal' | 'lan' | 'tor'

/** Everything the policy is made of; it has no state of its own. */
export interface Policy {
  readonly mode: Mode
  /** The allow-list: contacts, pending contacts, trackers (projection). */
  readonly rows: readonly AllowRow[]
  /** Our own addresses: who listens on loopback may talk to loopback peers, who has a private one to its neighbours. */
  readonly own: readonly Endpoint[]
  /** People whom the user is looking up at this moment; they have no row yet. */
  readonly strangers: ReadonlySet<UserId>
}

/** Whose word an address is: typed by the user, told by a contact or of one, or found of somebody looked up. */
export type Word = 'user' | 'contact' | 'stranger'
/** A way out that the policy grants. */
export type Grant = HostPort & { readonly word: Word }
export type Verdict = ({ readonly ok: true } & Grant) | { readonly ok: false; readonly reason: string }

/** A person may be dialled where their own row says, or, while being looked up, where their signed record says. */
export function mayDial(policy: Policy, who: UserId, endpoint: Endpoint): Verdict {
  const row = policy.rows.find((each) => each.kind === 'contact' && each.who === who)
  if (row === undefined) {
    return policy.strangers.has(who) ? grant(policy, endpoint, 'stranger') : no('not on the allow-list')
  }
  if (!row.endpoints.includes(endpoint)) return no('the address is not on record')
  return grant(policy, endpoint, row.byHand?.includes(endpoint) === true ? 'user' : 'contact')
}

/** Datagrams go to listed trackers only; a tracker's address is always one that the user or a release gave. */
export function maySend(policy: Policy, tracker: string): Verdict {
  const row = policy.rows.find((each) => each.kind === 'tracker' && each.who === tracker)
  const endpoint = row?.endpoints[0]
  if (endpoint === undefined) return no('not on the allow-list')
  return grant(policy, endpoint, 'user')
}

/**
 * An IP address that a granted name turned out to mean, or that was granted itself. Null when it may be reached. What the
 * network told must not make us knock at every door of our machine or of our house.
 */
export function refusalOf(policy: Policy, granted: Grant, ip: string): string | null {
  const scope = scopeOf(ip)
  if (scope === 'public') return null
  if (granted.word === 'user') {
    // A literal is reached as given. What a name means is not the user's word: it must not lead to a reserved place.
    return scope === 'reserved' && isIP(granted.host) === 0 ? 'the name leads to a reserved address' : null
  }
  const lan = policy.mode === 'lan' && granted.word === 'contact'
  const near =
    scope === 'loopback' ? onLoopback(policy) : scope === 'private' && (lan || besideUs(policy, ip))
  return near ? null : `${scope} address`
}

function onLoopback(policy: Policy): boolean {
  return ownHosts(policy).some((host) => scopeOf(host) === 'loopback')
}

function besideUs(policy: Policy, ip: string): boolean {
  return ownHosts(policy).some((host) => scopeOf(host) === 'private' && sameBlock(host, ip))
}

function ownHosts(policy: Policy): string[] {
  return policy.own.flatMap((endpoint) => splitEndpoint(endpoint)?.host ?? [])
}

function grant(policy: Policy, endpoint: Endpoint, word: Word): Verdict {
  if (policy.mode === 'tor') return no('tor mode has no way out yet')
  const place = splitEndpoint(endpoint)
  if (place === null || place.port === 0) return no('not an address')
  const granted = { ...place, word }
  const refusal = isIP(place.host) === 0 ? null : refusalOf(policy, granted, place.host)
  return refusal === null ? { ok: true, ...granted } : no(refusal)
}

function no(reason: string): Verdict {
  return { ok: false, reason }
}
