import type { SelfRow } from '../../projections/view.js'
import { learnOutcome, type OwnRecord, ownRecords, type SequenceMemory } from '../tracker/publish.js'
import { askForOwnRecord } from './own-records.js'
import { hasStoodDown } from './standing.js'
import type { NodeState } from './state.js'
import { run, type TrackerSeat } from './tracking.js'
import type { Turn } from './turn.js'

/** Under an hour, so that the next period's record is up before the period begins (SPEC § 8.1). */
const RENEW_AFTER_MS = 50 * 60_000
const RENEW_SPREAD_MS = 10 * 60_000
const RETRY_AFTER_MS = 60_000
/** A tracker that holds a newer record of ours (another device, a clock that went back) is told again at once. */
const MAX_REBUILDS = 2

/** Our own records at the trackers. */
export interface Publishing {
  readonly memory: SequenceMemory
  /** What the trackers were told last in this run. */
  announced: 'online' | 'offline' | null
  nextAt: number
}

export interface Publication {
  stored: number
  waiting: number
  readonly then: (turn: Turn, stored: number) => void
}

export function nothingPublished(): Publishing {
  return { memory: new Map(), announced: null, nextAt: Infinity }
}

/**
 * Puts our records to every tracker; `then` hears how many were stored, when all have answered or failed. A newer device's
 * record must not be written over, so the trackers are asked for it first; whoever goes has no time for that.
 */
export function publish(turn: Turn, then: Publication['then'] = () => undefined): void {
  if (turn.node.phase !== 'running' || hasStoodDown(turn)) {
    putAll(turn, then)
    return
  }
  askForOwnRecord(turn, (later) => {
    if (later.node.phase === 'running') putAll(later, then)
    else then(later, 0)
  })
}

function putAll(turn: Turn, then: Publication['then']): void {
  const self = turn.view.self()
  const seats = [...turn.node.trackers.values()]
  if (self === undefined || seats.length === 0 || hasStoodDown(turn)) {
    then(turn, 0)
    return
  }
  const { publishing } = turn.node
  publishing.announced = presented(turn, self).status
  publishing.nextAt = turn.soon(RENEW_AFTER_MS, RENEW_SPREAD_MS)
  const publication: Publication = { stored: 0, waiting: 1, then }
  const records = build(turn, self)
  for (const seat of seats) for (const record of records) put(turn, seat, record, publication, MAX_REBUILDS)
  finish(turn, publication)
}

/** While we listen our records are kept up; a run that only does one thing leaves them as they are. */
export function publishIfListening(turn: Turn): void {
  if (turn.node.listening !== null && turn.node.phase === 'running') publish(turn)
}

/** The last word of a run that was online. */
export function announceGoing(turn: Turn): void {
  if (turn.node.publishing.announced === 'online') publish(turn)
  turn.node.publishing.nextAt = Infinity
}

/**
 * Two devices stand in one epoch, and only the one that saw the other's record knows. The last thing it puts is a record
 * of its own, so that the other one stops as well.
 */
export function putConflict(turn: Turn): void {
  const self = turn.view.self()
  if (self === undefined || turn.node.phase !== 'running') return
  const publication: Publication = { stored: 0, waiting: 1, then: () => undefined }
  const { memory } = turn.node.publishing
  const offline = { ...self, status: 'offline' } as const
  const records = ownRecords(offline, turn.vault, turn.now, turn.rng, ['friends'], memory)
  for (const seat of turn.node.trackers.values()) {
    for (const record of records) put(turn, seat, record, publication, 0)
  }
  leavePublic(turn)
}

/** Nothing more is put, not even a last word. */
export function leavePublic(turn: Turn): void {
  turn.node.publishing.announced = null
  turn.node.publishing.nextAt = Infinity
}

export function nextPublishing(node: NodeState): number {
  return node.publishing.nextAt
}

export function duePublishing(turn: Turn): void {
  turn.node.publishing.nextAt = Infinity
  publishIfListening(turn)
}

function build(turn: Turn, self: SelfRow, kinds?: readonly OwnRecord['kind'][]): readonly OwnRecord[] {
  const { memory } = turn.node.publishing
  return ownRecords(presented(turn, self), turn.vault, turn.now, turn.rng, kinds, memory)
}

/** Who does not listen is not online, whatever was chosen. */
function presented(turn: Turn, self: SelfRow): SelfRow {
  const { phase, listening } = turn.node
  if (phase !== 'running' || listening === null) return { ...self, status: 'offline' }
  return { ...self, endpoints: listening }
}

function put(
  turn: Turn,
  seat: TrackerSeat,
  record: OwnRecord,
  publication: Publication,
  rebuilds: number,
): void {
  publication.waiting++
  run(turn, seat, { kind: 'put', record }, (later, outcome) => {
    if (outcome.kind === 'put-done' && outcome.outcome.kind === 'stored') publication.stored++
    else if (outcome.kind === 'put-done' && outcome.outcome.kind !== 'superseded') {
      const worthIt = learnOutcome(later.node.publishing.memory, record, outcome.outcome)
      if (worthIt && rebuilds > 0) putAgain(later, seat, record, publication, rebuilds - 1)
    } else retryLater(later)
    finish(later, publication)
  })
}

/** What the tracker holds is newer and ours: if it is another device's, it stays. */
function putAgain(
  turn: Turn,
  seat: TrackerSeat,
  record: OwnRecord,
  publication: Publication,
  left: number,
): void {
  publication.waiting++
  askForOwnRecord(turn, (later) => {
    if (!hasStoodDown(later)) rebuild(later, seat, record, publication, left)
    finish(later, publication)
  })
}

function rebuild(
  turn: Turn,
  seat: TrackerSeat,
  record: OwnRecord,
  publication: Publication,
  left: number,
): void {
  const self = turn.view.self()
  const fresh = self === undefined ? [] : build(turn, self, [record.kind])
  const same = fresh.find((each) => each.period === record.period)
  if (same !== undefined) put(turn, seat, same, publication, left)
}

function retryLater(turn: Turn): void {
  const { publishing, phase } = turn.node
  if (phase === 'running')
    publishing.nextAt = Math.min(publishing.nextAt, turn.soon(RETRY_AFTER_MS, RETRY_AFTER_MS))
}

function finish(turn: Turn, publication: Publication): void {
  if (--publication.waiting === 0) publication.then(turn, publication.stored)
}
