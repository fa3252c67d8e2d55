import { SALT_BYTES } from '../../events/log/format.js'
import { genesis } from '../../events/log/chain.js'
import type { Head, ReadRecord } from '../../events/log/record.js'
import { decodeFact } from '../../events/vocabulary/codec.js'
import type { StoredFact } from '../../events/vocabulary/facts.js'
import { hash } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { idOf } from '../../keys/user-id.js'
import { type ExportRecord, MAX_LINE_BYTES, groupLine, headerLine } from './export-line.js'
import { factJson } from './fact-json.js'
import { type Receipt, writeReceipt } from './receipt.js'
import { type Selection, isEverything, isSelected } from './selection.js'

/** The log that is exported, and who says so. */
export interface ExportSource {
  readonly logId: Uint8Array
  /** The owner's address key, 32 bytes, and its seed for the receipt. */
  readonly address: Uint8Array
  readonly addressSeed: Uint8Array
  /** Where it ended when the export began: what is appended meanwhile stays out. */
  readonly head: Head
  /** Milliseconds since 1970, for the receipt. */
  readonly now: number
  readRecords(from: number): AsyncIterable<readonly ReadRecord[]>
}

interface Group {
  readonly records: readonly ReadRecord[]
  readonly link: Uint8Array
}

/** From the state before the first group to the state after the last. */
interface Range {
  readonly from: Head
  readonly to: Head
}

/**
 * The lines of an export (SPEC § 4.9), without line feeds, header first; one frame of the log is in memory at a time.
 * From the first group that holds something selected to the last; of what was not selected only commitments.
 * @throws log-corrupt, unknown-event; too-large for a group that is too long a line even so
 */
export async function* exportLines(source: ExportSource, selection: Selection): AsyncGenerator<string> {
  const range = await rangeOf(source, selection)
  const { logId, address } = source
  yield headerLine({ owner: idOf(address), logId, ...range, receipt: receiptOf(source, range.to) })
  for await (const { records, link } of groups(source, range.from.seq + 1, range.to.seq)) {
    const line = groupLine({ records: records.map((record) => exported(record, selection)), link })
    yield fits(line) ? line : mustFit(groupLine({ records: records.map(committed), link }))
  }
}

function fits(line: string): boolean {
  return Buffer.byteLength(line) <= MAX_LINE_BYTES
}

/** Nobody could verify it. */
function mustFit(line: string): string {
  if (!fits(line)) throw new SottoError('too-large', 'a group of so many records cannot be exported')
  return line
}

/** Everything goes from the first record to the head; a selection is looked for first. */
async function rangeOf(source: ExportSource, selection: Selection): Promise<Range> {
  const { head } = source
  let before: Head = { seq: 0, link: genesis(source.logId, source.address) }
  if (isEverything(selection)) return { from: before, to: head }
  let from: Head | null = null
  let to = head
  for await (const { records, link } of groups(source, 1, head.seq)) {
    const end = { seq: records.at(-1)?.seq ?? 0, link }
    if (records.some((record) => selectedFact(record, selection) !== null)) {
      from ??= before
      to = end
    }
    before = end
  }
  return { from: from ?? head, to }
}

async function* groups(source: ExportSource, first: number, last: number): AsyncGenerator<Group> {
  if (first > last) return
  for await (const frame of source.readRecords(first)) {
    let start = 0
    for (const [i, { link, seq }] of frame.entries()) {
      if (link === null) continue
      yield { records: frame.slice(start, i + 1), link }
      if (seq >= last) return
      start = i + 1
    }
  }
}

function exported(record: ReadRecord, selection: Selection): ExportRecord {
  const fact = selectedFact(record, selection)
  if (fact === null) return committed(record)
  const { seq, at, type, version, kept, body } = record
  const told = { type: fact.type, data: factJson(fact.data) }
  return { seq, at, type, version, salt: kept.subarray(0, SALT_BYTES), body, fact: told }
}

function selectedFact(record: ReadRecord, selection: Selection): StoredFact | null {
  const fact = decodeFact(record)
  return fact.type !== 'Erased' && isSelected(selection, fact) ? fact : null
}

/** Nobody can guess a body from its commitment: the salt stays here. */
function committed({ seq, at, type, version, erased, kept }: ReadRecord): ExportRecord {
  return { seq, at, type, version, commitment: erased ? kept : hash('sotto/body/1', kept) }
}

function receiptOf({ logId, address, addressSeed, now }: ExportSource, { seq, link }: Head): string {
  const receipt: Receipt = { logId, address, seq, link, at: now }
  return writeReceipt(addressSeed, receipt)
}
