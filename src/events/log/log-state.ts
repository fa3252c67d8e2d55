import { wipe } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import { troubleOf } from '../../foundation/system-trouble.js'
import type { Rng } from '../../foundation/rng.js'
import type { LogFiles } from './examine.js'
import type { Keyring } from './keyring.js'
import { LiveManifest } from './live-manifest.js'
import { type LogKeys, type LogView, readView } from './log-view.js'
import type { Manifest } from './manifest.js'
import type { Head } from './record.js'

/** What an open log begins with. */
export interface LogStart {
  readonly files: LogFiles
  readonly manifest: Manifest
  /** Owned by the log from here on, as are the keys of the keyring. */
  readonly keys: LogKeys
  readonly head: Head
  readonly readOnly: boolean
  readonly rng: Rng
}

/** What appending, rewriting and reading share of one open log: its files, its head, and whether it may go on. */
export class LogState {
  readonly manifest: LiveManifest
  readonly keys: LogKeys
  readonly readOnly: boolean
  /** The last durable record. */
  head: Head
  /** No new work; what was begun ends. */
  closed = false
  #files: LogFiles
  #failure: SottoError | null = null

  constructor({ files, manifest, keys, head, readOnly, rng }: LogStart) {
    this.keys = keys
    this.head = head
    this.readOnly = readOnly
    this.#files = files
    // A writer has removed drafts and retired files when it opened.
    const found = readOnly ? manifest : { ...manifest, drafts: [], retired: [] }
    this.manifest = new LiveManifest({ ...files, key: keys.manifest, rng }, found)
  }

  get files(): LogFiles {
    return this.#files
  }

  get failure(): SottoError | null {
    return this.#failure
  }

  get view(): LogView {
    return { files: this.#files, manifest: this.manifest.current }
  }

  /** From here on, also for what is appended. */
  useKeyring(keyring: Keyring): void {
    this.#files = { ...this.#files, keyring }
  }

  /** What a writer has done to the log meanwhile; our own manifest is always the newest. @throws log-closed */
  async renew(): Promise<LogView> {
    this.mustBeOpen()
    if (this.readOnly) {
      const { files, manifest } = await readView(this.#files, this.keys)
      this.#files = files
      this.manifest.found(manifest)
    }
    return this.view
  }

  /** Nothing more is accepted: after a failed fdatasync the kernel may have dropped what it could not write. */
  fail(cause: unknown): SottoError {
    const why = troubleOf(cause)?.message
    this.#failure ??= new SottoError('log-failed', why, { cause })
    return this.#failure
  }

  /** @throws log-closed */
  mustBeOpen(): void {
    if (this.closed) throw new SottoError('log-closed')
  }

  /** Why nothing can be written: log-failed, log-closed; null when it can. */
  refusal(): SottoError | null {
    if (this.#failure !== null) return this.#failure
    if (this.closed) return new SottoError('log-closed')
    return this.readOnly ? new SottoError('log-closed', 'it is open for reading only') : null
  }

  /** @throws log-failed, log-closed */
  mustTakeMore(): void {
    const refusal = this.refusal()
    if (refusal !== null) throw refusal
  }

  wipe(): void {
    const { keyring, manifest } = this.keys
    wipe(keyring, manifest, ...this.#files.keyring.keks.map(({ kek }) => kek))
  }
}
