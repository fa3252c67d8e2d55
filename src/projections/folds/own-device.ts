import type { FactOf } from '../../events/vocabulary/facts.js'
import type { SelfRow } from '../view.js'

/** What the log tells of the devices that speak for us (SPEC § 2.5). */
export type OwnDevice = Pick<SelfRow, 'device' | 'superseded' | 'deviceConflict'>

export const NO_DEVICE: OwnDevice = { device: null, superseded: null, deviceConflict: null }

/** The newest epoch speaks; it also settles what stood against the ones before it, and only that. */
export function activated(row: OwnDevice, { data }: FactOf<'DeviceActivated'>): OwnDevice {
  const { epoch, device, statement } = data
  if (epoch <= epochOf(row)) return row
  const stands = <T extends { readonly epoch: number }>(against: T | null) =>
    against !== null && against.epoch >= epoch ? against : null
  return {
    device: { epoch, device, statement },
    superseded: stands(row.superseded),
    deviceConflict: stands(row.deviceConflict),
  }
}

/** Only an epoch newer than ours supersedes us, and the newest of them counts. */
export function superseded(row: OwnDevice, { data }: FactOf<'DeviceSuperseded'>): OwnDevice {
  if (data.epoch <= Math.max(epochOf(row), row.superseded?.epoch ?? 0)) return row
  return { ...row, superseded: { epoch: data.epoch, how: data.how } }
}

/** Another device in an epoch that we have left behind is no conflict any more. */
export function conflicted(row: OwnDevice, { data }: FactOf<'DeviceConflict'>): OwnDevice {
  if (data.epoch < epochOf(row) || data.epoch <= (row.deviceConflict?.epoch ?? 0)) return row
  return { ...row, deviceConflict: { epoch: data.epoch, how: data.how } }
}

function epochOf({ device }: OwnDevice): number {
  return device?.epoch ?? 0
}
