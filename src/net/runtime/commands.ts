import { SottoError, type ErrorCode } from '../../foundation/errors.js'
import type { Clock } from '../clock.js'
import type { Command, CommandResult, Ticket } from '../effects.js'

interface Pending {
  resolve(result: CommandResult): void
  reject(error: SottoError): void
}

/** Commands on their way: each is answered, refused or out of time, once. */
export class Commands {
  readonly #clock: Clock
  readonly #pending = new Map<Ticket, Pending>()
  #lastTicket = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param give hands the command to the node; it may be answered before this returns */
  async run(command: Command, timeoutMs: number, give: (ticket: Ticket) => void): Promise<CommandResult> {
    const ticket = ++this.#lastTicket
    // The one who waits for an answer wants the process to live until then.
    const cancel = this.#clock.after(timeoutMs, () => this.refuse(ticket, lateCode(command)), true)
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(ticket, { resolve, reject })
        give(ticket)
      })
    } finally {
      cancel()
      this.#pending.delete(ticket)
    }
  }

  answer(ticket: Ticket, result: CommandResult): void {
    this.#pending.get(ticket)?.resolve(result)
  }

  refuse(ticket: Ticket, code: ErrorCode, detail?: string): void {
    this.#pending.get(ticket)?.reject(new SottoError(code, detail))
  }

  refuseAll(code: ErrorCode): void {
    for (const ticket of [...this.#pending.keys()]) this.refuse(ticket, code)
  }
}

function lateCode(command: Command): ErrorCode {
  return command.kind === 'announce' || command.kind === 'tracker-check'
    ? 'tracker-unreachable'
    : 'unreachable'
}
