import type { Job } from '../effects.js'
import type { Vault } from './vault.js'

/** More than this at once and further ones fail, as if the ciphertext were wrong (37 ms of a core each). */
export const MAX_PRIVATE_OPERATIONS = 16

/** RSA with the profile's key, off the main thread, in a bounded number. */
export class PrivateOperations {
  readonly #vault: Vault
  readonly #onOpened: (job: Job, secret: Uint8Array | null) => void
  #running = 0

  constructor(vault: Vault, onOpened: (job: Job, secret: Uint8Array | null) => void) {
    this.#vault = vault
    this.#onOpened = onOpened
  }

  start(job: Job, ciphertext: Uint8Array, label: Uint8Array): void {
    if (this.#running >= MAX_PRIVATE_OPERATIONS) {
      this.#onOpened(job, null)
      return
    }
    this.#running++
    void this.#open(ciphertext, label).then((secret) => {
      this.#running--
      this.#onOpened(job, secret)
    })
  }

  async #open(ciphertext: Uint8Array, label: Uint8Array): Promise<Uint8Array | null> {
    try {
      return await this.#vault.openOaep(ciphertext, label)
    } catch {
      return null // the vault was closed meanwhile
    }
  }
}
