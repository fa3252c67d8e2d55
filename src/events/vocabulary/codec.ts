import { SottoError } from '../../foundation/errors.js'
import { pack, unpack } from '../../foundation/pack.js'
import type { ErasedFact, Fact, FactType, StoredFact } from './facts.js'
import { REGISTRY, type Registry } from './registry.js'
import { type Fields, UPCASTERS, type Upcasters, upcast } from './upcasters.js'

/** A fact as the log takes it, without its time. */
export interface EncodedFact {
  readonly type: number
  readonly version: number
  readonly body: Uint8Array
}

/** A record as the log gives it. */
export interface FactRecord extends EncodedFact {
  readonly seq: number
  readonly at: number
  readonly erased: boolean
}

/** Which types and versions there are, and the way from each older version to the next. */
export interface Vocabulary {
  readonly registry: Registry
  readonly upcasters: Upcasters
}

/** Of this sotto. */
export const VOCABULARY: Vocabulary = { registry: REGISTRY, upcasters: UPCASTERS }

/** Codes are never reused, so they are the same in every vocabulary. */
const TYPE_OF: ReadonlyMap<number, FactType> = new Map(
  Object.entries(REGISTRY).map(([type, { code }]) => [code, type as FactType]),
)

export function encodeFact({ type, data }: Fact): EncodedFact {
  const { code, version } = REGISTRY[type]
  return { type: code, version, body: pack(data) }
}

/**
 * The fact of a record, brought to the present version. Its shape is what a sotto of that version wrote: the log has
 * verified that nobody else did.
 * @throws unknown-event for a type or a version that only a newer sotto writes; malformed for a body that is no map
 */
export function decodeFact(record: FactRecord, vocabulary: Vocabulary = VOCABULARY): StoredFact | ErasedFact {
  const { seq, at, version } = record
  const type = TYPE_OF.get(record.type)
  if (type === undefined || version < 1 || version > vocabulary.registry[type].version) {
    throw new SottoError('unknown-event', `record ${seq}, type ${record.type}, version ${version}`)
  }
  if (record.erased) return { seq, at, type: 'Erased', data: { of: type } }
  const data = unpack(record.body)
  if (data === null || typeof data !== 'object') throw new SottoError('malformed', `record ${seq}`)
  return { seq, at, type, data: upcast(vocabulary.upcasters[type], version, data as Fields) } as StoredFact
}
