import type { Found } from '../tracker/lookup.js'
import { lookUpAll } from './lookups.js'
import { recordsOfOurs } from './own-device.js'
import { hasStoodDown } from './standing.js'
import type { Turn } from './turn.js'

/** How soon a device that nobody tells learns from the trackers that another one speaks for us. */
const ASK_AFTER_MS = 10 * 60_000
const ASK_SPREAD_MS = 2 * 60_000

/**
 * Asking the trackers for our own friends record, before we publish ours and now and then between: another device of ours
 * may have put it there, and only we could have signed it.
 */
export interface OwnRecords {
  /** What goes on after the answer; null when nothing was asked. */
  waiting: ((turn: Turn) => void)[] | null
  nextAt: number
}

export function nothingAsked(): OwnRecords {
  return { waiting: null, nextAt: Infinity }
}

/** `then` runs when what the trackers tell is durable, and also when they tell nothing. */
export function askForOwnRecord(turn: Turn, then: (turn: Turn) => void): void {
  const { ownRecords } = turn.node
  const self = turn.view.self()
  if (self?.friendSecret == null || self.device === null || turn.node.trackers.size === 0) {
    then(turn)
    return
  }
  ownRecords.nextAt = turn.soon(ASK_AFTER_MS, ASK_SPREAD_MS)
  ownRecords.waiting ??= []
  if (ownRecords.waiting.push(then) > 1) return
  lookUpAll(turn, self.id, self.friendSecret, (later, found) => told(later, found))
}

export function dueOwnRecord(turn: Turn): void {
  turn.node.ownRecords.nextAt = Infinity
  if (turn.node.listening !== null && !hasStoodDown(turn)) askForOwnRecord(turn, () => undefined)
}

function told(turn: Turn, found: readonly Found[]): void {
  const own = turn.view.self()?.device ?? null
  const facts = own === null || hasStoodDown(turn) ? [] : recordsOfOurs(found, own, turn.vault.address)
  if (facts.length > 0) turn.append(facts, goOn)
  else goOn(turn)
}

function goOn(turn: Turn): void {
  const waiting = turn.node.ownRecords.waiting ?? []
  turn.node.ownRecords.waiting = null
  for (const then of waiting) then(turn)
}
