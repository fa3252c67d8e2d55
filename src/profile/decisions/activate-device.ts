import type { Fact } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import { FIRST_DEVICE_EPOCH, deviceStatement } from '../../keys/device-statement.js'
import type { SelfRow } from '../../projections/view.js'
import { type Deciding, fact, selfOf } from './context.js'

/** What signs for this device; `device` is 16 bytes. */
export interface ThisDevice {
  readonly device: Uint8Array
  readonly address: Uint8Array
  readonly addressSeed: Uint8Array
}

/**
 * The device that the log was last active on goes on without a word, superseded or not; any other takes over from it, in
 * an epoch above all that is known (SPEC § 2.5).
 */
export function activateDevice({ view, now }: Deciding, { device, ...signer }: ThisDevice): Fact[] {
  const self = selfOf(view)
  if (self.device !== null && equalBytes(self.device.device, device)) return []
  const epoch = newestEpoch(self) + 1
  const statement = deviceStatement({ ...signer, epoch, device, at: now })
  return [fact('DeviceActivated', { epoch, device, statement })]
}

function newestEpoch({ device, superseded, deviceConflict }: SelfRow): number {
  const known = [device, superseded, deviceConflict].map((row) => row?.epoch ?? 0)
  return Math.max(FIRST_DEVICE_EPOCH - 1, ...known)
}
