import type { UserId } from '../../events/vocabulary/facts.js'
import type { Command, Ticket, TrackerHealth } from '../effects.js'
import type { Found } from '../tracker/lookup.js'
import { learnEndpoints } from './endpoints.js'
import { type Hello, introduce } from './introducing.js'
import { lookUp } from './lookups.js'
import { publish } from './publishing.js'
import { inquire, isCallable } from './reaching.js'
import { hasStoodDown } from './standing.js'
import { run } from './tracking.js'
import type { Turn } from './turn.js'

export function command(turn: Turn, ticket: Ticket, asked: Command): void {
  if (asked.kind !== 'tracker-check' && hasStoodDown(turn)) {
    turn.refuse(ticket, 'superseded')
    return
  }
  switch (asked.kind) {
    case 'check': {
      check(turn, ticket, asked.who)
      return
    }
    case 'lookup': {
      meet(turn, ticket, asked.id)
      return
    }
    case 'chat-opened':
      if (isCallable(turn.view.contact(asked.who))) inquire(turn, asked.who, [])
      {
        turn.answer([ticket], { kind: 'done' })
        return
      }
    case 'announce': {
      announce(turn, ticket)
      return
    }
    case 'tracker-check': {
      checkTrackers(turn, ticket)
      return
    }
  }
}

function check(turn: Turn, ticket: Ticket, who: UserId): void {
  const row = turn.view.contact(who)
  if (row === undefined) {
    turn.refuse(ticket, 'not-found')
    return
  }
  if (row.state === 'blocked') {
    turn.refuse(ticket, 'blocked')
    return
  }
  if (!isCallable(row)) {
    turn.refuse(ticket, 'not-a-friend')
    return
  }
  inquire(turn, who, [ticket])
}

/** Nickname and picture of someone of whom only the ID is known; nothing is kept. */
function meet(turn: Turn, ticket: Ticket, id: UserId): void {
  if (id === turn.vault.id) {
    turn.refuse(ticket, 'that-is-you')
    return
  }
  if (turn.node.trackers.size === 0) {
    turn.refuse(ticket, 'no-tracker')
    return
  }
  lookUp(turn, id, null, (later, found, heard) => {
    if (!heard) {
      later.refuse(ticket, 'tracker-unreachable')
      return
    }
    if (found?.introduction) {
      visit(later, ticket, id, { ...found, introduction: found.introduction })
      return
    }
    introduced(later, ticket, id, null)
  })
}

function visit(turn: Turn, ticket: Ticket, id: UserId, found: Found & { introduction: Uint8Array }): void {
  const { introduction, endpoints } = found
  const meeting = {
    ...{ who: id, introduction, endpoints, request: null },
    hello: (later: Turn, hello: Hello) => {
      introduced(later, ticket, id, hello)
      return false
    },
    result: () => undefined,
    failed: (later: Turn) => introduced(later, ticket, id, null),
  }
  // A contact is dialled only where its row says (the gate's rule); a stranger where its signed record says.
  if (turn.view.contact(id) === undefined) {
    introduce(turn, meeting)
    return
  }
  learnEndpoints(turn, id, endpoints, 'tracker', (later) => introduce(later, meeting))
}

function introduced(turn: Turn, ticket: Ticket, id: UserId, hello: Hello | null): void {
  const { nickname = null, avatar = null } = hello?.card ?? {}
  turn.answer([ticket], { kind: 'lookup', id, nickname, avatar, reachable: hello !== null })
}

function announce(turn: Turn, ticket: Ticket): void {
  if (turn.node.trackers.size === 0) {
    turn.refuse(ticket, 'no-tracker')
    return
  }
  publish(turn, (later, stored) => {
    if (stored > 0) later.answer([ticket], { kind: 'done' })
    else later.refuse(ticket, 'tracker-unreachable')
  })
}

function checkTrackers(turn: Turn, ticket: Ticket): void {
  const urls = turn.view.trackers().map((tracker) => tracker.url)
  const health = new Map<string, TrackerHealth>()
  const tell = (later: Turn, row: TrackerHealth) => {
    health.set(row.url, row)
    if (health.size === new Set(urls).size) {
      later.answer([ticket], { kind: 'tracker-check', trackers: [...health.values()] })
    }
  }
  if (urls.length === 0) {
    turn.answer([ticket], { kind: 'tracker-check', trackers: [] })
    return
  }
  for (const url of urls) ping(turn, url, tell)
}

function ping(turn: Turn, url: string, tell: (turn: Turn, row: TrackerHealth) => void): void {
  const tracker = turn.node.trackers.get(url)
  if (tracker === undefined) {
    tell(turn, { url, ok: false, latencyMs: null })
    return
  }
  run(turn, tracker, { kind: 'ping' }, (later, outcome) => {
    const latencyMs = outcome.kind === 'ping-done' ? outcome.latencyMs : null
    tell(later, { url, ok: latencyMs !== null, latencyMs })
  })
}
