import type { FactData, FactOf, FactType, UserId } from '../../events/vocabulary/facts.js'
import { pump } from './delivery.js'
import { sayEndpoints } from './link.js'
import { leavePublic, publishIfListening, putConflict } from './publishing.js'
import { forget, reachAll, urge, urgeNewPlace } from './reaching.js'
import { request, requestAll } from './requesting.js'
import { hasStoodDown, noteStatus } from './standing.js'
import { seatTrackers } from './tracking.js'
import type { Turn } from './turn.js'

type Reactions = { readonly [T in FactType]?: (turn: Turn, data: FactData[T]) => void }

const REACTIONS: Reactions = {
  MessageQueued: (turn, { to }) => deliver(turn, to),
  MessageDelivered: (turn, data) => finished(turn, data),
  MessageRead: (turn, data) => finished(turn, data),
  MessageFailed: (turn, data) => finished(turn, data),
  FriendRequested: (turn, { id }) => request(turn, id),
  FriendAccepted: (turn, { id }) => befriended(turn, id),
  FriendAcceptanceReceived: (turn, { id }) => befriended(turn, id),
  ContactUnblocked: (turn, { id }) => urge(turn, id),
  ContactEndpointsLearned: (turn, { id }) => urgeNewPlace(turn, id),
  ContactBlocked: (turn, { id }) => part(turn, id),
  ContactRemoved: (turn, { id }) => part(turn, id),
  FriendRejected: (turn, { id }) => part(turn, id),
  OwnStatusChanged: (turn, data) => ownStatus(turn, data),
  MessagesRequeued: (turn, { to }) => deliver(turn, to),
  DeviceActivated: (turn) => speakAgain(turn),
  DeviceSuperseded: (turn) => standDown(turn),
  DeviceConflict: (turn) => standDown(turn),
  ProfileChanged: (turn, { discoverable }) => discoverable !== undefined && publishIfListening(turn),
  FriendSecretDrawn: (turn) => publishIfListening(turn),
  IntroductionKeyDrawn: (turn) => publishIfListening(turn),
  TrackerAdded: (turn) => trackerAdded(turn),
  TrackerRemoved: (turn) => seatTrackers(turn),
}

/** What a durable fact sets in motion, whoever appended it. */
export function react<T extends FactType>(turn: Turn, fact: FactOf<T>): void {
  REACTIONS[fact.type]?.(turn, fact.data as FactData[T])
}

function deliver(turn: Turn, to: UserId): void {
  const link = turn.node.links.get(to)
  if (link === undefined) urge(turn, to)
  else pump(turn, link)
}

function finished(turn: Turn, { messageId, to }: FactData['MessageDelivered']): void {
  turn.node.delivering.delete(messageId)
  const link = turn.node.links.get(to)
  link?.inFlight.delete(messageId)
  if (link !== undefined) pump(turn, link)
}

/** Not every acceptance makes a friend: the log may have known better by then. */
function befriended(turn: Turn, id: UserId): void {
  if (turn.view.contact(id)?.state !== 'friend') return
  turn.node.requests.delete(id)
  if (turn.node.links.has(id)) noteStatus(turn, id, 'online', 'link')
  else urge(turn, id)
}

function part(turn: Turn, id: UserId): void {
  turn.node.requests.delete(id)
  forget(turn, id)
  for (const carrier of [...turn.node.carriers.values()]) if (carrier.who === id) carrier.leave(turn)
  turn.node.letterKeys.delete(id)
  turn.node.peerDevices.delete(id)
}

function ownStatus(turn: Turn, { status }: FactData['OwnStatusChanged']): void {
  publishIfListening(turn)
  if (status === 'offline') {
    leaveAll(turn)
    return
  }
  for (const link of turn.node.links.values()) sayEndpoints(turn, link, turn.node.listening ?? [])
  reachAll(turn)
  requestAll(turn)
}

/** Offline by hand: no one is talked to. */
export function leaveAll(turn: Turn): void {
  for (const carrier of [...turn.node.carriers.values()]) carrier.leave(turn)
  for (const who of [...turn.node.reaches.keys()]) forget(turn, who)
  turn.node.requests.clear()
}

/** Another device speaks for us: everyone hears goodbye, and no contact anything after it. What is queued stays. */
function standDown(turn: Turn): void {
  if (!hasStoodDown(turn)) return
  leaveAll(turn)
  if (turn.view.self()?.superseded == null) putConflict(turn)
  else leavePublic(turn)
}

/** This device speaks from here on. Who is linked was shown another statement: all links are made anew. */
function speakAgain(turn: Turn): void {
  if (hasStoodDown(turn)) return
  leaveAll(turn)
  publishIfListening(turn)
  reachAll(turn)
  requestAll(turn)
}

function trackerAdded(turn: Turn): void {
  seatTrackers(turn)
  publishIfListening(turn)
  reachAll(turn)
  for (const each of turn.node.requests.values()) each.nextAt = Math.min(each.nextAt, turn.now)
}
