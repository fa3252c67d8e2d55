import type { Endpoint, StoredFact } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { Clock } from '../clock.js'
import type { Command, CommandResult, Effect, Input, Step } from '../effects.js'
import type { Traffic } from '../gate/carriage-table.js'
import type { ConnectionReport } from '../gate/connections.js'
import { openGate, type Gate } from '../gate/gate.js'
import type { Resolve } from '../gate/names.js'
import type { NetOptions, Net } from './contract.js'
import { Commands } from './commands.js'
import { EffectQueue, type Performed } from './effect-queue.js'
import { Loop } from './loop.js'
import { ToldFacts } from './told-facts.js'
import { Wakes } from './wakes.js'

/** The node, or what a test puts in its place. */
export interface Machine<State> {
  readonly state: State
  readonly step: Step<State, Input, Effect>
}
export interface RunOptions extends NetOptions {
  readonly clock: Clock
  readonly rng: Rng
  readonly siteSeed: Uint8Array
  readonly resolve?: Resolve
}

const COMMAND_TIMEOUT_MS = 30_000
/** Peers are not read from between these: what they sent is waiting for the disk. */
const BACKLOG_HIGH = 512
const BACKLOG_LOW = 64
/** A disk that does not answer must not keep a node from stopping. */
const STOP_MS = 5_000

/** One node at work: inputs to the machine, its effects to the gate, the log and whoever asked. */
export class RunningNet<State> implements Net {
  readonly #options: RunOptions
  readonly #gate: Gate
  readonly #loop: Loop<State>
  readonly #effects: EffectQueue
  readonly #wakes: Wakes
  readonly #commands: Commands
  readonly #told = new ToldFacts()
  #listening: Endpoint | null = null
  #stopping: Promise<void> | null = null

  constructor(options: RunOptions, machine: Machine<State>) {
    const { clock, rng } = options
    this.#options = options
    this.#commands = new Commands(clock)
    this.#wakes = new Wakes(clock, () => {
      this.#loop.feed({ kind: 'wake' })
    })
    this.#effects = new EffectQueue({
      append: ({ facts }) => options.append(facts),
      onAppended: ({ ticket }, stored) => {
        for (const fact of stored) this.fact(fact)
        if (ticket !== undefined) this.#loop.feed({ kind: 'appended', ticket })
        this.#relieve()
      },
      perform: (effect) => {
        this.#perform(effect)
      },
      onFault: (error) => {
        this.#fault(error)
      },
      onFailed: (error) => {
        this.#fault(error)
        this.stop().catch((failure: unknown) => {
          this.#fault(failure)
        })
      },
    })
    this.#loop = new Loop({
      ...machine,
      ...{ clock, rng },
      onEffects: (effects) => {
        this.#effects.push(effects)
        this.#relieve()
      },
      onFault: (error, input) => {
        this.#fault(error)
        if ('carrier' in input) this.#dropCarrier(input)
      },
    })
    this.#gate = openGate({
      ...options,
      onFault: (error) => {
        this.#fault(error)
      },
      onInput: (input) => {
        this.#loop.feed(input)
      },
      onRefused: (data) => {
        if (this.#stopping === null)
          this.#effects.push([{ kind: 'append', facts: [{ type: 'GateRefused', data }] }])
      },
    })
  }

  get listening(): Endpoint | null {
    return this.#listening
  }

  /** Listens before the node starts: what it may reach depends on where it stands. @throws cannot-listen, bad-endpoint */
  async start(): Promise<this> {
    const { listen } = this.#options
    try {
      if (listen !== null) this.#listening = await this.#gate.listen(listen)
    } catch (error) {
      await this.#gate.close()
      throw error
    }
    const endpoints = this.#gate.own
    this.#loop.start([
      { kind: 'start' },
      ...(listen === null ? [] : [{ kind: 'listening' as const, endpoints }]),
    ])
    return this
  }

  async command(command: Command, timeoutMs = COMMAND_TIMEOUT_MS): Promise<CommandResult> {
    if (this.#stopping !== null) throw new SottoError('cancelled')
    const done = command.kind === 'lookup' ? this.#gate.permitLookup(command.id) : () => undefined
    try {
      return await this.#commands.run(command, timeoutMs, (ticket) => {
        this.#loop.feed({ kind: 'command', ticket, command })
      })
    } finally {
      done()
    }
  }

  fact(fact: StoredFact): void {
    if (this.#told.isNew(fact.seq)) this.#loop.feed({ kind: 'fact', fact })
  }

  connections(): Promise<ConnectionReport> {
    return this.#gate.connections()
  }

  traffic(): readonly Traffic[] {
    return this.#gate.traffic()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#commands.refuseAll('cancelled')
    this.#loop.feed({ kind: 'stop' })
    await this.#drained()
    this.#loop.end()
    this.#wakes.stop()
    await this.#gate.close()
  }

  async #drained(): Promise<void> {
    let cancel: () => void = () => undefined
    const late = new Promise<void>((resolve) => (cancel = this.#options.clock.after(STOP_MS, resolve, true)))
    await Promise.race([this.#effects.idle(), late])
    cancel()
  }

  #perform(effect: Performed): void {
    switch (effect.kind) {
      case 'wake':
        this.#wakes.ask(effect.at)
        break
      case 'answer':
        this.#commands.answer(effect.ticket, effect.result)
        break
      case 'refuse':
        this.#commands.refuse(effect.ticket, effect.code, effect.detail)
        break
      default:
        this.#gate.perform(effect)
    }
  }

  #relieve(): void {
    const { backlog } = this.#effects
    if (backlog > BACKLOG_HIGH) this.#gate.hold(true)
    else if (backlog < BACKLOG_LOW) this.#gate.hold(false)
  }

  /** A peer whose input the node could not take is let go; the node hears that the connection is closed. */
  #dropCarrier(input: Extract<Input, { carrier: number }>): void {
    if (input.kind === 'closed' || input.kind === 'dial-failed') return
    this.#gate.perform({ kind: 'close', carrier: input.carrier })
  }

  #fault(error: unknown): void {
    this.#options.onFault?.(error)
  }
}
