import type { Head, ReadRecord } from '../../events/log/record.js'
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

/** Addresses are learned again; those typed by hand are the user's word. A recovery seed that is still there is nowhere else. */
export function isSetUp(fact: StoredFact | ErasedFact): boolean {
  if (fact.type === 'Erased') return fact.data.of === 'RecoverySeedKept' || SET_UP.has(fact.data.of)
  if (fact.type === 'ContactEndpointsLearned') return fact.data.how !== 'hand'
  return SET_UP.has(fact.type)
}

/** Finds out, group by group, how far two logs of one ID are the same. */
export class CommonPrefix {
  readonly #own: AsyncIterator<Head>
  #next: Promise<Head | null>
  #common = 0
  #parted = false

  constructor(own: FactStore) {
    this.#own = groupEnds(own)[Symbol.asyncIterator]()
    this.#next = this.#advance()
  }

  /** The last seq of ours that the other log has too, with the same link and so with all before it. */
  get common(): number {
    return this.#common
  }

  /** The other log's next records. @throws what reading ours throws */
  async meet(records: readonly ReadRecord[]): Promise<void> {
    for (const { seq, link } of records) {
      if (link === null || this.#parted) continue
      const own = await this.#next
      if (own === null) return
      this.#parted = own.seq !== seq || !equalBytes(own.link, link)
      if (this.#parted) return
      this.#common = seq
      this.#next = this.#advance()
    }
  }

  /** Closes the reader of ours. Idempotent. */
  async close(): Promise<void> {
    await this.#next.catch(() => null)
    await this.#own.return?.()
  }

  async #advance(): Promise<Head | null> {
    const next = await this.#own.next()
    return next.done === true ? null : next.value
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
