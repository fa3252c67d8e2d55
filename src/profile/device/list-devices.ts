import type { FactStore } from '../../events/store/fact-store.js'
import { equalBytes, toHex } from '../../foundation/bytes.js'
import type { SelfRow } from '../../projections/view.js'

export interface DeviceAnswer {
  /** 16 bytes as lower-case hex. */
  readonly device: string
  readonly epoch: number
  readonly activatedAt: number
  /** It is the one that is asked. */
  readonly this: boolean
  /** It speaks for the identity, as far as this log knows. */
  readonly active: boolean
}

/** Every device that spoke for the identity, as the log tells it; the newest last. */
export async function listDevices(
  store: FactStore,
  self: SelfRow,
  own: Uint8Array | null,
): Promise<DeviceAnswer[]> {
  const silent = self.superseded !== null || self.deviceConflict !== null
  const devices: DeviceAnswer[] = []
  for await (const facts of store.readFrames()) {
    for (const { fact } of facts) {
      if (fact.type !== 'DeviceActivated') continue
      const { epoch, device } = fact.data
      devices.push({
        device: toHex(device),
        epoch,
        activatedAt: fact.at,
        this: own !== null && equalBytes(own, device),
        active: !silent && epoch === self.device?.epoch,
      })
    }
  }
  return devices
}
