import type { UserId } from '../../events/vocabulary/facts.js'
import { equalBytes, toHex } from '../../foundation/bytes.js'
import { TWO_DEVICES } from '../../projections/folds/contact-device.js'
import type { DeviceRow } from '../../projections/view.js'
import type { Turn } from './turn.js'

const HOUR_MS = 3_600_000
/** Facts that one contact may cause by showing ever newer devices; each stays in the log for good. */
const NEW_DEVICES_AN_HOUR = 10
/** Processes of a contact that are remembered; an older one that comes back is taken for new. */
const MAX_PAST_INSTANCES = 16

/** What this run knows of the machines a contact speaks from; the row in the view follows when the facts are durable. */
export interface PeerDevices {
  device: DeviceRow | null
  /** Another device of the same epoch: neither is talked to. */
  rival: DeviceRow | null
  news: readonly number[]
  /** The process at the other end, in hex; since when it is there, and those before it. */
  instance: string | null
  since: number
  past: readonly string[]
  doubted: boolean
  /** The process that has heard which of its letters we have. */
  told: string | null
}

export function peerDevices(turn: Turn, who: UserId): PeerDevices {
  const known = turn.node.peerDevices.get(who)
  if (known !== undefined) return known
  const row = turn.view.contact(who)
  const fresh: PeerDevices = {
    ...{ device: row?.device ?? null, rival: row?.rival ?? null, news: [], doubted: false, told: null },
    ...{ instance: null, since: 0, past: [] },
  }
  turn.node.peerDevices.set(who, fresh)
  return fresh
}

/**
 * A contact speaks from this device, as its statement proves. The newest epoch speaks for them; a second device of that
 * epoch is doubted.
 * @returns false when they have shown more devices than anyone has
 */
export function noteDevice(turn: Turn, who: UserId, shown: DeviceRow | null): boolean {
  const peer = peerDevices(turn, who)
  const epoch = peer.device?.epoch ?? 0
  if (shown === null || shown.epoch < epoch) return true
  const newer = shown.epoch > epoch
  const known = isDevice(peer.device, shown) || isDevice(peer.rival, shown)
  if (!newer && (known || peer.rival !== null)) return true
  if (!isWithinBudget(turn, peer)) return false
  if (newer) Object.assign(peer, { device: shown, rival: null, instance: null, past: [], told: null })
  else peer.rival = shown
  turn.append([{ type: 'ContactDeviceSeen', data: { id: who, ...shown } }])
  if (!newer) doubt(turn, who)
  return true
}

/** The statement that this device is to be told of before it is let go; null when nothing stands against it. */
export function standsAgainst(turn: Turn, who: UserId, shown: DeviceRow | null): Uint8Array | null {
  const { device, rival } = peerDevices(turn, who)
  if (device === null || (shown !== null && shown.epoch > device.epoch)) return null
  if (!isDevice(device, shown)) return device.statement
  return rival?.statement ?? null
}

/**
 * A process takes the place of the one before it: a restart. One that was replaced and comes back on a connection it
 * began afterwards was never gone: the same device, or a copy of it, runs twice.
 */
export function noteInstance(turn: Turn, who: UserId, instance: Uint8Array | null, openedAt: number): void {
  const peer = peerDevices(turn, who)
  const name = instance && toHex(instance)
  if (name === null || name === peer.instance) return
  const isBack = peer.past.includes(name)
  if (isBack && openedAt <= peer.since) return
  if (peer.instance !== null) peer.past = [peer.instance, ...peer.past].slice(0, MAX_PAST_INSTANCES)
  peer.past = peer.past.filter((other) => other !== name)
  peer.instance = name
  peer.since = turn.now
  if (isBack) doubt(turn, who)
}

function isDevice(known: DeviceRow | null, shown: DeviceRow | null): boolean {
  return (
    known !== null && shown !== null && known.epoch === shown.epoch && equalBytes(known.device, shown.device)
  )
}

function isWithinBudget(turn: Turn, peer: PeerDevices): boolean {
  const recent = peer.news.filter((at) => at > turn.now - HOUR_MS)
  if (recent.length >= NEW_DEVICES_AN_HOUR) return false
  peer.news = [...recent, turn.now]
  return true
}

function doubt(turn: Turn, who: UserId): void {
  const peer = peerDevices(turn, who)
  if (peer.doubted || turn.view.contact(who)?.doubt === TWO_DEVICES) return
  peer.doubted = true
  turn.append([{ type: 'ContactDoubted', data: { id: who, why: 'two-devices' } }])
}
