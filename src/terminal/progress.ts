const TERMINAL_INTERVAL_MS = 100
const PLAIN_INTERVAL_MS = 5_000

/** Long work tells how far it is, on stderr: one line rewritten on a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #label: string
  readonly #terminal = process.stderr.isTTY
  #printedAt = 0
  #open = false

  constructor(label: string) {
    this.#label = label
  }

  /** `fraction` is 0 to 1, or null when nobody knows how much is left. */
  update(fraction: number | null, detail = ''): void {
    const now = performance.now()
    if (now - this.#printedAt < (this.#terminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS)) return
    this.#printedAt = now
    const percent = fraction === null ? '' : ` ${Math.min(99, Math.floor(fraction * 100))} %`
    const line = `${this.#label}${percent}${detail === '' ? '' : ` ${detail}`}`
    this.#open = this.#terminal
    process.stderr.write(this.#terminal ? `\r\u001b[2K${line}` : `${line}\n`)
  }

  end(): void {
    if (this.#open) process.stderr.write('\r\u001b[2K')
    this.#open = false
  }
}
