import type { FactOf } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import type { ContactRow } from '../view.js'

/** The doubt that more than one device speaks for a contact. */
export const TWO_DEVICES = 'two devices'

type Device = Pick<ContactRow, 'device' | 'rival'>

/**
 * The newest epoch speaks for a contact. Another device of the same epoch does not replace it: both are kept, so that
 * each can be told of the other, until a newer epoch settles it; a third one is as good as the second.
 */
export function deviceSeen(row: ContactRow, { data }: FactOf<'ContactDeviceSeen'>): Device {
  const { device, rival } = row
  const { epoch, statement } = data
  const seen = { epoch, device: data.device, statement }
  if (epoch > (device?.epoch ?? 0)) return { device: seen, rival: null }
  const second = epoch === device?.epoch && !equalBytes(device.device, data.device)
  return { device, rival: second ? (rival ?? seen) : rival }
}

/** Doubt stays until it is settled by hand; another key, which is worse, is not painted over. */
export function deviceDoubted({ doubt }: ContactRow): Pick<ContactRow, 'doubt' | 'verified'> {
  return { doubt: doubt ?? TWO_DEVICES, verified: false }
}
