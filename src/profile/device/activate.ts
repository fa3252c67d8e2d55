import { wipe } from '../../foundation/bytes.js'
import { activateDevice } from '../decisions/activate-device.js'
import type { Profile } from '../profile.js'
import { deviceId } from './device-file.js'

/** Before this device goes on the network the log says that it speaks for the identity (SPEC § 2.5). @throws file-failed, log-failed */
export async function activate(profile: Profile): Promise<void> {
  const { paths, rng, vault } = profile
  const device = await deviceId(paths, rng)
  const addressSeed = vault.addressSeed()
  try {
    await profile.change((deciding) =>
      activateDevice(deciding, { device, address: vault.address, addressSeed }),
    )
  } finally {
    wipe(addressSeed)
  }
}
