import * as v from 'valibot'
import { toHex } from '../../foundation/bytes.js'
import { pack, unpack } from '../../foundation/pack.js'
import { damaged } from './damage.js'
import type { Operation } from './database.js'
import { UNPURGED_KEY } from './sealing.js'
import type { Sealer } from './sealing.js'

/** More single keys below one table than that are given up for the whole table. */
const SINGLE_KEYS = 32
const TABLE_PREFIX_BYTES = 3

const Stored = v.object({
  owed: v.boolean(),
  prefixes: v.array(v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2})+$/))),
})

/**
 * Which keys held rows that are gone, though level may still keep them: key prefixes, since the last purge. It is kept
 * in the store, in the batch that deletes, so that a purge after a crash knows as much as one before it.
 */
export class Unpurged {
  readonly #prefixes: Set<string>
  #owed: boolean
  #changed = false

  constructor(prefixes: Iterable<string> = [], owed = false) {
    this.#prefixes = new Set(prefixes)
    this.#owed = owed
  }

  /** @throws projections-damaged when it is not one of this store */
  static opened(sealer: Sealer, sealed: Buffer | undefined): Unpurged {
    if (sealed === undefined) return new Unpurged()
    const result = v.safeParse(Stored, unpack(sealer.open(UNPURGED_KEY, sealed)))
    if (!result.success) throw damaged('what is to be purged is not told')
    return new Unpurged(result.output.prefixes, result.output.owed)
  }

  get prefixes(): Buffer[] {
    return Array.from(this.#prefixes, (prefix) => Buffer.from(prefix, 'hex'))
  }

  /** Nobody but the next opening is going to purge. */
  get isOwed(): boolean {
    return this.#owed
  }

  owe(): void {
    this.#changed ||= !this.#owed
    this.#owed = true
  }

  /** @param prefix a key, or three bytes for a whole table */
  add(prefix: Buffer): void {
    const table = toHex(prefix.subarray(0, TABLE_PREFIX_BYTES))
    const each = toHex(prefix)
    if (this.#prefixes.has(table) || this.#prefixes.has(each)) return
    this.#changed = true
    const siblings = [...this.#prefixes].filter((other) => other.startsWith(table))
    if (siblings.length < SINGLE_KEYS) this.#prefixes.add(each)
    else this.#replace(siblings, table)
  }

  /** What to write along, if it is not what was written last. */
  operations(sealer: Sealer): Operation[] {
    if (!this.#changed) return []
    this.#changed = false
    return [this.#operation(sealer)]
  }

  /** They were not written after all. */
  unwritten(): void {
    this.#changed = true
  }

  cleared(): Operation {
    this.#prefixes.clear()
    this.#owed = false
    this.#changed = false
    return { type: 'del', key: UNPURGED_KEY }
  }

  #operation(sealer: Sealer): Operation {
    const value = sealer.seal(UNPURGED_KEY, pack({ owed: this.#owed, prefixes: [...this.#prefixes] }))
    return { type: 'put', key: UNPURGED_KEY, value }
  }

  #replace(siblings: readonly string[], table: string): void {
    for (const sibling of siblings) this.#prefixes.delete(sibling)
    this.#prefixes.add(table)
  }
}
