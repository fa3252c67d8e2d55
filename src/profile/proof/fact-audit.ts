import type { FrameSeen } from '../../events/log/walk-records.js'
import type { ReadRecord } from '../../events/log/record.js'
import { decodeFact } from '../../events/vocabulary/codec.js'
import type { ErasedFact, StoredFact } from '../../events/vocabulary/facts.js'
import { isSottoError } from '../../foundation/errors.js'
import {
  NO_DEVICE,
  type OwnDevice,
  activated,
  conflicted,
  superseded,
} from '../../projections/folds/own-device.js'
import { type Finding, type FindingCode, finding } from './finding.js'

/** Where a record stands: the segment's number and place in the chain, the frame's offset. */
type Place = Pick<FrameSeen, 'segment' | 'place' | 'offset'>

/** An erasure of which nothing has said yet that it happened. */
interface Promised {
  /** Where it was promised. */
  readonly at: Place
  /** A ContentErased says that it happened. */
  readonly claimed: boolean
}

/**
 * An erasure is under way until the log says that it happened. Each opening that writes, each rewrite, begins a segment:
 * two of them later nobody is at work on it any more.
 */
const SEGMENTS_OF_PATIENCE = 2

/** What the records of a log must say to fit together, whatever the chain says (SPEC § 4.7). Give it every frame, in order. */
export class FactAudit {
  readonly #patience: number
  readonly #findings: Finding[] = []
  /** Erased records by seq; null once a ContentForgotten named them. */
  readonly #erased = new Map<number, Place | null>()
  readonly #promised = new Map<number, Promised>()
  /** First and last seq of what damage keeps from being read: whether that was erased, nobody can tell. */
  readonly #unread: (readonly [number, number])[] = []
  #nextSeq = 1
  #lastPlace = 0
  /** Time of the newest record, milliseconds since 1970; null in an empty log. */
  newestAt: number | null = null
  #own: OwnDevice = NO_DEVICE

  /** @param patience in segments; Infinity for who does the erasing, and knows that it is under way */
  constructor(patience = SEGMENTS_OF_PATIENCE) {
    this.#patience = patience
  }

  take(frame: FrameSeen): void {
    this.#lastPlace = frame.place
    for (const record of frame.records) {
      this.newestAt = Math.max(this.newestAt ?? 0, record.at)
      if (record.seq > this.#nextSeq) this.#unread.push([this.#nextSeq, record.seq - 1])
      this.#nextSeq = record.seq + 1
      const fact = decoded(record)
      if (typeof fact === 'string') this.#found(frame, fact)
      else this.#evolve(fact, frame)
    }
  }

  /** Records that were forgotten and are not erased yet. */
  get pending(): number {
    return this.#promised.size
  }

  /** Whether this device speaks for us, or another one does. */
  get device(): 'active' | 'superseded' | 'conflict' {
    if (this.#own.superseded !== null) return 'superseded'
    return this.#own.deviceConflict === null ? 'active' : 'conflict'
  }

  /** After the last frame. */
  findings(): Finding[] {
    const unexplained = [...this.#erased.values()].filter((place) => place !== null)
    const broken = [...this.#promised.values()].filter(
      ({ at, claimed }) => claimed || this.#lastPlace - at.place >= this.#patience,
    )
    return [
      ...this.#findings,
      ...unexplained.map(({ segment, offset }) => finding(segment, offset, 'erased-unexplained')),
      ...broken.map(({ at }) => finding(at.segment, at.offset, 'not-erased')),
    ]
  }

  #evolve(fact: StoredFact | ErasedFact, { segment, place, offset }: FrameSeen): void {
    const at = { segment, place, offset }
    if (fact.type === 'Erased') this.#erased.set(fact.seq, at)
    if (fact.type === 'ContentForgotten') {
      for (const seq of fact.data.seqs) if (seq < fact.seq) this.#promise(seq, at)
    }
    if (fact.type === 'ContentErased') for (const seq of fact.data.seqs) this.#claim(seq)
    if (fact.type === 'DeviceActivated') this.#own = activated(this.#own, fact)
    if (fact.type === 'DeviceSuperseded') this.#own = superseded(this.#own, fact)
    if (fact.type === 'DeviceConflict') this.#own = conflicted(this.#own, fact)
  }

  #promise(seq: number, at: Place): void {
    if (this.#unread.some(([first, last]) => first <= seq && seq <= last)) return
    if (this.#erased.has(seq)) this.#erased.set(seq, null)
    else if (!this.#promised.has(seq)) this.#promised.set(seq, { at, claimed: false })
  }

  #claim(seq: number): void {
    const promised = this.#promised.get(seq)
    if (promised !== undefined) this.#promised.set(seq, { ...promised, claimed: true })
  }

  #found({ segment, offset }: Place, code: FindingCode): void {
    this.#findings.push(finding(segment, offset, code))
  }
}

function decoded(record: ReadRecord): StoredFact | ErasedFact | FindingCode {
  try {
    return decodeFact(record)
  } catch (error) {
    return isSottoError(error, 'unknown-event') ? 'unknown-event' : 'malformed-event'
  }
}
