import { kdf } from '../../foundation/crypto.js'

/** What two devices of one identity share, and nobody else (SPEC § 6.6); 32 bytes each. */
export interface DeviceSecrets {
  /** Opens the site's door. */
  readonly token: Uint8Array
  /** Goes into the key of the link: whoever only watched the door does not get further. */
  readonly link: Uint8Array
}

export function deviceSecrets(root: Uint8Array): DeviceSecrets {
  return { token: kdf(root, 'sotto/device-token/1'), link: kdf(root, 'sotto/device-link/1') }
}
