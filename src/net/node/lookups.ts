import type { UserId } from '../../events/vocabulary/facts.js'
import {
  askFor,
  type Found,
  type LookupKey,
  lookupKeys,
  type LookupMemory,
  newest,
  readAnswer,
} from '../tracker/lookup.js'
import type { NodeState } from './state.js'
import { run, type TrackerOutcome, type TrackerSeat } from './tracking.js'
import type { Turn } from './turn.js'

/** All trackers together, however many are dead. */
const ANSWER_WITHIN_MS = 8_000
/** Once one has answered, the others have this long to know better. */
const OTHERS_WITHIN_MS = 1_500

type Then = (turn: Turn, found: Found | null, heard: boolean) => void
type ThenAll = (turn: Turn, found: readonly Found[], heard: boolean) => void

interface Lookup {
  waiting: number
  heard: boolean
  readonly found: (Found | null)[]
  deadline: number
  readonly then: ThenAll
}

export interface Lookups {
  readonly memory: LookupMemory
  readonly open: Set<Lookup>
}

export function noLookups(): Lookups {
  return { memory: new Map(), open: new Set() }
}

/**
 * Asks every tracker for a person: by the friend secret, or by the ID alone with null. `then` hears the newest record
 * that verifies, or null, and whether any tracker answered at all.
 */
export function lookUp(turn: Turn, id: UserId, secret: Uint8Array | null, then: Then): void {
  lookUpAll(turn, id, secret, (later, found, heard) => then(later, newest(found), heard))
}

/** The same; `then` hears every record, for trackers may hold different ones. */
export function lookUpAll(turn: Turn, id: UserId, secret: Uint8Array | null, then: ThenAll): void {
  const keys = lookupKeys(id, secret, turn.now)
  const seats = [...turn.node.trackers.values()]
  const deadline = turn.now + ANSWER_WITHIN_MS
  const lookup: Lookup = { waiting: seats.length, heard: false, found: [], deadline, then }
  turn.node.lookups.open.add(lookup)
  for (const seat of seats) ask(turn, lookup, seat, keys)
  if (seats.length === 0) close(turn, lookup)
}

/** A contact by its friend secret; by the ID when there is none yet, or when it was drawn anew without our knowing. */
export function lookUpContact(
  turn: Turn,
  who: UserId,
  then: (turn: Turn, found: Found | null) => void,
): void {
  const secret = turn.view.contact(who)?.secret ?? null
  lookUp(turn, who, secret, (later, found, heard) => {
    if (found !== null || secret === null || !heard) {
      then(later, found)
      return
    }
    lookUp(later, who, null, then)
  })
}

export function nextLookup(node: NodeState): number {
  let next = Infinity
  for (const lookup of node.lookups.open) next = Math.min(next, lookup.deadline)
  return next
}

export function dueLookups(turn: Turn): void {
  for (const lookup of [...turn.node.lookups.open]) if (lookup.deadline <= turn.now) close(turn, lookup)
}

function ask(turn: Turn, lookup: Lookup, seat: TrackerSeat, keys: readonly LookupKey[]): void {
  const { memory } = turn.node.lookups
  const asked = keys.map((key) => askFor(memory, key))
  run(turn, seat, { kind: 'query', keys: asked }, (later, outcome) => heard(later, lookup, keys, outcome))
}

function heard(turn: Turn, lookup: Lookup, keys: readonly LookupKey[], outcome: TrackerOutcome): void {
  lookup.waiting--
  if (outcome.kind === 'query-done') {
    const { memory } = turn.node.lookups
    const found = outcome.answers.map((answer, i) => {
      const key = keys[i]
      return key === undefined ? null : readAnswer(memory, key, answer)
    })
    lookup.heard = true
    lookup.found.push(...found)
    if (newest(found) !== null) lookup.deadline = Math.min(lookup.deadline, turn.now + OTHERS_WITHIN_MS)
  }
  if (lookup.waiting === 0) close(turn, lookup)
}

function close(turn: Turn, lookup: Lookup): void {
  if (!turn.node.lookups.open.delete(lookup)) return
  const found = lookup.found.filter((each) => each !== null)
  lookup.then(turn, found, lookup.heard)
}
