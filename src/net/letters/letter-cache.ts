import { toHex, wipe } from '../../foundation/bytes.js'
import { sha256 } from '../../foundation/crypto.js'
import { LETTER_KEY_MS } from './letter-format.js'

const CAPACITY = 1024
/** The sender counts its ten minutes from drawing, we from opening; the slack is for what was under way. */
const SLACK_MS = 2 * 60_000

interface Entry {
  readonly secret: Uint8Array
  readonly expires: number
}

/** Opened RSA secrets of letters, so that 64 letters cost one private operation. Bound to the sender; memory only. */
export class LetterCache {
  readonly #entries = new Map<string, Entry>()
  readonly #capacity: number

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  find(sender: Uint8Array, rsa: Uint8Array, now: number): Uint8Array | null {
    this.#forgetExpired(now)
    return this.#entries.get(keyOf(sender, rsa))?.secret ?? null
  }

  keep(sender: Uint8Array, rsa: Uint8Array, secret: Uint8Array, now: number): void {
    this.#forgetExpired(now)
    const key = keyOf(sender, rsa)
    if (this.#entries.has(key)) return
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#capacity) break
      this.#forget(oldest)
    }
    this.#entries.set(key, { secret: Buffer.from(secret), expires: now + LETTER_KEY_MS + SLACK_MS })
  }

  /** For a logout or a contact that is gone: everything is wiped. */
  clear(): void {
    for (const key of [...this.#entries.keys()]) this.#forget(key)
  }

  #forgetExpired(now: number): void {
    for (const [key, { expires }] of this.#entries) {
      if (expires > now) break
      this.#forget(key)
    }
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) wipe(entry.secret)
    this.#entries.delete(key)
  }
}

function keyOf(sender: Uint8Array, rsa: Uint8Array): string {
  return toHex(sha256(sender, rsa))
}
