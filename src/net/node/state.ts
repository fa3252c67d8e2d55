import type { Endpoint, MessageId, Presence, UserId } from '../../events/vocabulary/facts.js'
import type { View } from '../../projections/view.js'
import type { CarrierId, Job, Ticket } from '../effects.js'
import type { Vault } from '../gate/vault.js'
import type { LetterCache, LetterKeys } from '../letters/letter.js'
import type { Carrier } from './carriers.js'
import type { Link } from './link.js'
import type { Lookups } from './lookups.js'
import type { Openings } from './openings.js'
import type { Publishing } from './publishing.js'
import type { Reach } from './reaching.js'
import type { OwnRecords } from './own-records.js'
import type { PeerDevices } from './peer-devices.js'
import type { OutgoingRequest } from './requesting.js'
import type { Clock } from './clock.js'
import type { TrackerSeat } from './tracking.js'
import type { Turn } from './turn.js'

/**
 * The whole node between two inputs. What must outlive the process is in the log, and so in `view`; this is only what
 * is under way. Changed in place, for speed; the same inputs, times and randomness give the same effects.
 */
export interface NodeState {
  readonly view: View
  readonly vault: Vault
  phase: 'new' | 'running' | 'stopped'
  /** 16 bytes that stand for this run; kept nowhere. */
  instance: Uint8Array
  /** Where we listen; null in a run that only does one thing and listens nowhere. */
  listening: readonly Endpoint[] | null
  readonly carriers: Map<CarrierId, Carrier>
  /** The one established link of each contact. */
  readonly links: Map<UserId, Link>
  readonly reaches: Map<UserId, Reach>
  readonly requests: Map<UserId, OutgoingRequest>
  /** When each contact's latest handshakes came, for their limit. */
  readonly admissions: Map<UserId, readonly number[]>
  readonly openings: Openings
  readonly letterKeys: Map<UserId, LetterKeys>
  readonly letterCache: LetterCache
  /** Received, being appended: a duplicate in that moment is not appended twice. */
  readonly receiving: Set<MessageId>
  /** Acknowledged, the fact being appended. */
  readonly delivering: Set<MessageId>
  readonly complaints: Map<UserId, readonly number[]>
  readonly peerDevices: Map<UserId, PeerDevices>
  /** When each contact's latest letters were queued again because it had lost them, for their limit. */
  readonly losses: Map<UserId, readonly number[]>
  /** Status facts being appended. */
  readonly noting: Map<UserId, Presence>
  /** When a contact last told its endpoints over a link: a tracker's older word does not undo it. */
  readonly toldEndpoints: Map<UserId, number>
  /** When a contact's latest new addresses came over links, for their limit. */
  readonly moves: Map<UserId, readonly number[]>
  /** When the clock was last read, and since when it has run without a leap. */
  clock: Clock
  /** When the next introduction key is due. */
  ownKeysAt: number
  readonly trackers: Map<string, TrackerSeat>
  readonly lookups: Lookups
  readonly publishing: Publishing
  readonly ownRecords: OwnRecords
  /** What goes on when an append is durable. */
  readonly appended: Map<Ticket, (turn: Turn) => void>
  nextCarrier: CarrierId
  nextTicket: Ticket
  nextJob: Job
  /** The earliest wake asked for and not yet come. */
  wakeAt: number
}
