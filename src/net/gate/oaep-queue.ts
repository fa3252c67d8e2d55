import { webcrypto } from 'node:crypto'

/** Private operations that may wait behind the one under way; a 37 ms operation each makes this well under a second. */
const MAX_WAITING = 16

/**
 * RSA-OAEP decryption in the thread pool, one at a time. `privateDecrypt` would block the process, and several at once
 * would keep the log's fdatasync waiting.
 */
export class OaepQueue {
  readonly #key: Promise<webcrypto.CryptoKey>
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #closed = false

  /** @param pkcs8 private key, DER; it is wiped once imported */
  constructor(pkcs8: Uint8Array) {
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }
    this.#key = webcrypto.subtle
      .importKey('pkcs8', pkcs8, algorithm, false, ['decrypt'])
      .finally(() => pkcs8.fill(0))
    this.#key.catch(() => undefined)
  }

  /** Null when it does not open, when too many wait, or after close: outside, these look alike. */
  open(ciphertext: Uint8Array, label: Uint8Array): Promise<Uint8Array | null> {
    if (this.#closed || this.#waiting > MAX_WAITING) return Promise.resolve(null)
    this.#waiting++
    const turn = this.#tail.then(() => this.#decrypt(ciphertext, label)).finally(() => this.#waiting--)
    this.#tail = turn
    return turn
  }

  close(): void {
    this.#closed = true
  }

  async #decrypt(ciphertext: Uint8Array, label: Uint8Array): Promise<Uint8Array | null> {
    if (this.#closed) return null
    try {
      const key = await this.#key
      return Buffer.from(await webcrypto.subtle.decrypt({ name: 'RSA-OAEP', label }, key, ciphertext))
    } catch {
      return null
    }
  }
}
