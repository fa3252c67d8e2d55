import type { Head } from '../../events/log/record.js'
import type { FactStore } from '../../events/store/fact-store.js'
import type { ErasedFact, FactType, StoredFact } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'

/**
 * What a device writes down by merely being set up, looked at, or superseded: nothing that came from people or went to
 * them, and nothing that is lost when another device's log takes its place.
 */
const SET_UP: ReadonlySet<FactType> = new Set<FactType>([
  'LogRecovered',
  'LogKeyRotated',
  'ContentErased',
  'IdentityCreated',
  'ProfileChanged',
  'IntroductionKeyDrawn',
  'FriendSecretDrawn',
  'OwnStatusChanged',
  'LoggedIn',
  'LoggedOut',
  'SettingChanged',
  'BackupMade',
  'DeviceActivated',
  'DeviceSuperseded',
  'DeviceConflict',
  'TrackerAdded',
  'TrackerRemoved',
  'ContactStatusChanged',
  'MessagesShown',
  'GateRefused',
])

/**
 * Addresses are learned again, but for those that the user typed; what disappeared disappears on the other device too, but
 * what the user asked to forget may not. A recovery seed that is still there is nowhere else.
 */
export function isSetUp(fact: StoredFact | ErasedFact): boolean {
  if (fact.type === 'Erased') return fact.data.of === 'RecoverySeedKept' || SET_UP.has(fact.data.of)
  if (fact.type === 'ContentForgotten') return fact.data.why !== 'asked'
  if (fact.type === 'ContactEndpointsLearned') return fact.data.how !== 'hand'
  return SET_UP.has(fact.type)
}

/** Finds out, group by group, how far two logs of one ID are the same. */
export class CommonPrefix {
  readonly #own: AsyncGenerator<Head>
  #common = 0
  #parted = false

  constructor(own: FactStore) {
    this.#own = groupEnds(own)
  }

  /** The last seq of ours that the other log has too, with the same link and so with all before it. */
  get common(): number {
    return this.#common
  }

  /** Where the other log's next groups end. @throws what reading ours throws */
  async meet(ends: readonly Head[]): Promise<void> {
    for (const { seq, link } of ends) {
      if (this.#parted) return
      const own = await this.#own.next()
      this.#parted = own.done === true || own.value.seq !== seq || !equalBytes(own.value.link, link)
      if (!this.#parted) this.#common = seq
    }
  }

  /** Closes the reader of ours. Idempotent. */
  async close(): Promise<void> {
    await this.#own.return(undefined)
  }
}

/** The first fact of ours beyond `seq` that would be lost, or null. */
export async function firstToLose(own: FactStore, seq: number): Promise<StoredFact | ErasedFact | null> {
  if (seq >= own.head.seq) return null
  for await (const { fact } of own.read(seq + 1)) if (!isSetUp(fact)) return fact
  return null
}

async function* groupEnds(store: FactStore): AsyncGenerator<Head> {
  for await (const records of store.readRecords())
    for (const { seq, link } of records) if (link !== null) yield { seq, link }
}
