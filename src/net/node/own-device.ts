import type { DeviceEvidence, Fact, UserId } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import { readDeviceStatement } from '../../keys/device-statement.js'
import type { DeviceRow } from '../../projections/view.js'
import { type Announcement, deviceOf } from '../links/announcement.js'
import type { Found } from '../tracker/lookup.js'
import { RECORD_DEVICE_BYTES } from '../tracker/record-body.js'
import type { Turn } from './turn.js'

/** What we say of ourselves in a handshake (SPEC § 6.4). */
export function ownAnnouncement(turn: Turn): Announcement {
  return { statement: turn.view.self()?.device?.statement ?? null, instance: turn.node.instance }
}

/**
 * A contact says, with our own signature, which device speaks for us. A newer one supersedes this one, another one of the
 * same epoch is a conflict, and whatever a contact says otherwise proves nothing. Our own device with a newer epoch: this
 * log is an older copy of that device's, and takes up what it has missed.
 */
export function toldOfDevice(turn: Turn, by: UserId, statement: Uint8Array): void {
  const told = deviceOf(statement, turn.vault.address)
  if (told === null) return
  const own = turn.view.self()?.device ?? null
  if (own !== null && equalBytes(own.device, told.device)) {
    if (told.epoch > own.epoch) turn.append([{ type: 'DeviceActivated', data: told }])
    return
  }
  const { epoch, device } = told
  turn.append(verdict(own, { epoch, device, how: 'contact', by }))
}

/** Our own friends records, as trackers give them out: signed by us, and so by some device of ours. */
export function recordsOfOurs(found: readonly Found[], own: DeviceRow, address: Uint8Array): readonly Fact[] {
  const activatedAt = readDeviceStatement(own.statement, address)?.at ?? 0
  for (const { device: shown, at } of found) {
    if (shown === null || equalBytes(shown.device, own.device.subarray(0, RECORD_DEVICE_BYTES))) continue
    // What the other one wrote before we were active, it wrote without knowing of us.
    if (shown.epoch === own.epoch && at <= activatedAt) continue
    const facts = verdict(own, { ...shown, how: 'tracker' })
    if (facts.length > 0) return facts
  }
  return []
}

function verdict(own: DeviceRow | null, evidence: DeviceEvidence): readonly Fact[] {
  const epoch = own?.epoch ?? 0
  if (evidence.epoch < epoch) return []
  return [{ type: evidence.epoch > epoch ? 'DeviceSuperseded' : 'DeviceConflict', data: evidence }]
}
