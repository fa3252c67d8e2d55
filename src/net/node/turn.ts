import type { Fact } from '../../events/vocabulary/facts.js'
import type { ErrorCode } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { CommandResult, Effect, Ticket } from '../effects.js'
import type { View } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import type { NodeState } from './state.js'

const U32_RANGE = 2 ** 32

/** One step in progress: what every concern of the node reads, and where it leaves what it wants done. */
export class Turn {
  readonly effects: Effect[] = []

  constructor(
    readonly node: NodeState,
    readonly now: number,
    readonly rng: Rng,
  ) {}

  get view(): View {
    return this.node.view
  }

  get vault(): Vault {
    return this.node.vault
  }

  emit(effect: Effect): void {
    this.effects.push(effect)
  }

  /** Appends in one group; `then` runs when it is durable and the view shows it. */
  append(facts: readonly Fact[], then?: (turn: Turn) => void): void {
    if (facts.length === 0) return
    if (then === undefined) {
      this.emit({ kind: 'append', facts })
      return
    }
    const ticket = this.node.nextTicket++
    this.node.appended.set(ticket, then)
    this.emit({ kind: 'append', facts, ticket })
  }

  answer(tickets: readonly Ticket[], result: CommandResult): void {
    for (const ticket of tickets) this.emit({ kind: 'answer', ticket, result })
  }

  refuse(ticket: Ticket, code: ErrorCode): void {
    this.emit({ kind: 'refuse', ticket, code })
  }

  /** A time from `base` to `base + spread` milliseconds from now: many nodes must not act in step. */
  soon(base: number, spread: number): number {
    const fraction = this.rng.bytes(4).readUInt32BE() / U32_RANGE
    return this.now + base + Math.floor(spread * fraction)
  }
}
