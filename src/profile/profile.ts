import type { Fact, StoredFact } from '../events/vocabulary/facts.js'
import type { Head } from '../events/log/record.js'
import type { AppendedFacts, FactStore } from '../events/store/fact-store.js'
import { SottoError, isSottoError } from '../foundation/errors.js'
import type { Rng } from '../foundation/rng.js'
import type { Identity } from '../keys/identity.js'
import { wipeIdentity } from '../keys/identity.js'
import type { Vault } from '../net/gate/vault.js'
import type { Projections } from '../projections/engine.js'
import type { View } from '../projections/view.js'
import type { Deciding } from './decisions/context.js'
import type { ProfilePaths } from './paths.js'
import type { Clock } from './clock.js'

export interface ProfileParts {
  readonly paths: ProfilePaths
  readonly identity: Identity
  readonly vault: Vault
  readonly store: FactStore
  readonly projections: Projections
  readonly clock: Clock
  readonly rng: Rng
  /** The disk takes nothing more. */
  readonly readOnly?: boolean
}

type Watcher = (fact: StoredFact) => void

/**
 * One logged-in person, open: the only writer of its log. Every fact goes one way: durable in the log, then into the
 * projections, then to the watchers (the network first), all in order of `seq`.
 */
export class Profile {
  readonly paths: ProfilePaths
  readonly identity: Identity
  readonly vault: Vault
  readonly clock: Clock
  readonly rng: Rng
  readonly store: FactStore
  readonly projections: Projections
  readonly readOnly: boolean
  /** Resolves when the log failed: nothing more is accepted, the profile can only be closed. */
  readonly failed: Promise<Error>
  readonly #watchers = new Set<Watcher>()
  #fail: (error: Error) => void = () => undefined
  #applied: Promise<unknown> = Promise.resolve()
  #shown: Head
  #decided: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | null = null

  constructor(parts: ProfileParts) {
    this.paths = parts.paths
    this.identity = parts.identity
    this.vault = parts.vault
    this.store = parts.store
    this.projections = parts.projections
    this.clock = parts.clock
    this.rng = parts.rng
    this.readOnly = parts.readOnly ?? false
    this.failed = new Promise((resolve) => (this.#fail = resolve))
    this.#shown = parts.store.head
  }

  get view(): View {
    return this.projections.view
  }

  /** The last fact that the projections show, and the chain's link after it; the log itself may be further. */
  get shown(): Head {
    return this.#shown
  }

  /**
   * Appends in one group; when it resolves the facts are durable, projected and told. An empty list is nothing.
   * @throws disk-full, log-failed
   */
  append(facts: readonly Fact[]): Promise<StoredFact[]> {
    if (facts.length === 0) return Promise.resolve([])
    if (this.readOnly) return Promise.reject(new SottoError('disk-full'))
    // Appends overlap, so that one fdatasync serves several; they are applied in the order they were made in.
    const appending = this.store.appendLinked(facts, this.clock.now())
    const applying = this.#applied.then(() => this.#apply(appending))
    this.#applied = applying.catch(() => undefined)
    return applying
  }

  /**
   * Decides on the state after all that was decided before, and appends. Decisions of one profile run one after
   * another, so that two of them never answer to the same state.
   */
  decide<R extends { readonly facts: readonly Fact[] }>(decision: (deciding: Deciding) => R): Promise<R> {
    const deciding = this.#decided.then(async () => {
      const result = decision({ view: this.view, now: this.clock.stamp(), rng: this.rng })
      await this.append(result.facts)
      return result
    })
    this.#decided = deciding.catch(() => undefined)
    return deciding
  }

  /** The same for decisions that are nothing but facts. */
  async change(decision: (deciding: Deciding) => readonly Fact[]): Promise<void> {
    await this.decide((deciding) => ({ facts: decision(deciding) }))
  }

  /** Tells of every fact after it was projected. @returns how to stop watching */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Waits for what was begun, writes the closing anchor and forgets the keys. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #apply(appending: Promise<AppendedFacts>): Promise<StoredFact[]> {
    const { facts, link } = await appending.catch((error: unknown) => {
      if (isSottoError(error, 'log-failed')) this.#fail(error)
      throw error
    })
    await this.projections.apply(facts, link)
    this.#shown = { seq: facts.at(-1)?.seq ?? this.#shown.seq, link }
    for (const fact of facts) for (const watcher of this.#watchers) watcher(fact)
    return facts
  }

  async #close(): Promise<void> {
    await this.#decided
    await this.#applied
    try {
      await this.projections.close()
    } finally {
      await this.store.close()
      this.vault.close()
      wipeIdentity(this.identity)
    }
  }
}
