import type { Presence } from '../../events/vocabulary/facts.js'

/** How a status check ended: an answer that only the owner can make, or none or a wrong one. */
export type Finding = 'passed' | 'failed'

/** What the trackers said; `moved`: they named a way to connect that we had not known. */
export type TrackerWord =
  | { readonly kind: 'record'; readonly status: 'online' | 'offline'; readonly moved: boolean }
  | { readonly kind: 'silent' }

/** What is known so far; null for what was not tried yet. */
export interface Evidence {
  readonly direct: Finding
  readonly tracker: TrackerWord | null
  readonly recheck: Finding | null
}

export type Decision =
  | { readonly next: 'ask-tracker' }
  | { readonly next: 'recheck' }
  | { readonly next: 'done'; readonly status: Presence; readonly how: 'check' | 'tracker' }

/**
 * The user's tree of the online status, as asked: a direct check decides; without an answer the tracker is asked; new ways to
 * connect are checked again and that decides; the old ways and "offline" mean offline; the old ways and "online"
 * mean "Status unknown". A silent tracker is the one branch the user does not name: nothing is known then.
 */
export function decide(evidence: Evidence): Decision {
  if (evidence.direct === 'passed') return done('online', 'check')
  if (evidence.tracker === null) return { next: 'ask-tracker' }
  if (evidence.tracker.kind === 'silent') return done('unknown', 'tracker')
  if (evidence.tracker.moved) return afterMove(evidence.recheck)
  return evidence.tracker.status === 'offline' ? done('offline', 'tracker') : done('unknown', 'tracker')
}

function afterMove(recheck: Finding | null): Decision {
  if (recheck === null) return { next: 'recheck' }
  return recheck === 'passed' ? done('online', 'check') : done('offline', 'check')
}

function done(status: Presence, how: 'check' | 'tracker'): Decision {
  return { next: 'done', status, how }
}
