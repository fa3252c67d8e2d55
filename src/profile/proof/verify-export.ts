import { decodeFact } from '../../events/vocabulary/codec.js'
import { Linker, genesis } from '../../events/log/chain.js'
import type { Head } from '../../events/log/record.js'
import type { UserId } from '../../events/vocabulary/facts.js'
import { concat, equalBytes } from '../../foundation/bytes.js'
import { isSottoError } from '../../foundation/errors.js'
import { addressOf, idOf } from '../../keys/user-id.js'
import type { Line } from './cut-lines.js'
import {
  type Disclosed,
  type ExportGroup,
  type ExportHeader,
  type ExportRecord,
  MAX_HEADER_BYTES,
  groupLine,
  headerLine,
  parseGroup,
  parseHeader,
} from './export-line.js'
import { factJson } from './fact-json.js'
import { type Finding, type FindingCode, MAX_FINDINGS, finding } from './finding.js'
import { type ChainOwner, ReceiptCheck, type Verdict } from './receipt-check.js'
import { type SignedReceipt, readReceipt } from './receipt.js'

/** What can be said of an export by whoever has nothing but the file. */
export interface ExportReport {
  readonly ok: boolean
  /** Nothing is wrong with the file itself, whatever a receipt from elsewhere says. */
  readonly genuine: boolean
  /** Whose log it says it is; null where not even that can be read. */
  readonly owner: UserId | null
  /** Records that verified, and how many of them can be read. */
  readonly events: number
  readonly disclosed: number
  /** The state before the first group, and the end of what verifies without a gap from there on. */
  readonly from: Head
  readonly head: Head
  readonly problems: readonly Finding[]
}

const NOWHERE: Head = { seq: 0, link: new Uint8Array(32) }

/** What a receipt says about the file it came in. */
const OWN_RECEIPT: Readonly<Record<Verdict, FindingCode | null>> = {
  agrees: null,
  forged: 'receipt-signature',
  'other-log': 'receipt-other-log',
  before: 'receipt-link',
  beyond: 'receipt-link',
  differs: 'receipt-link',
  // What keeps it from being reached was told.
  unreached: null,
}

/** What a receipt kept elsewhere says about the file. */
const KEPT_RECEIPT: Readonly<Record<Verdict, FindingCode | null>> = {
  ...OWN_RECEIPT,
  before: 'receipt-range',
  beyond: 'receipt-range',
  unreached: 'receipt-unreached',
}

/**
 * Verifies an export as SPEC § 4.9 says: every line in its one form, every link, what every body says, and the receipt.
 * Needs no key and no profile; keeps one line in memory.
 * @param since a receipt kept elsewhere, which must lie in the file
 */
export async function verifyExport(
  lines: AsyncIterable<Line>,
  since: SignedReceipt | null = null,
): Promise<ExportReport> {
  let verifier: ExportVerifier | null = null
  for await (const line of lines) {
    if (verifier === null) {
      const header = headerOf(line)
      if (header === null) return unreadable()
      verifier = new ExportVerifier(header, since)
    } else {
      verifier.take(line)
      if (verifier.full) break
    }
  }
  return verifier?.report() ?? unreadable()
}

interface Header extends ExportHeader, ChainOwner {
  readonly given: SignedReceipt
}

/** Null for a line that is not exactly what an export begins with. */
function headerOf({ bytes, broken }: Line): Header | null {
  if (broken || bytes.length > MAX_HEADER_BYTES) return null
  try {
    const header = parseHeader(bytes.toString('utf8'))
    const address = addressOf(header.owner)
    if (!isExactly(bytes, headerLine({ ...header, owner: idOf(address) }))) return null
    return { ...header, address, given: readReceipt(header.receipt) }
  } catch (error) {
    if (isSottoError(error)) return null
    throw error
  }
}

/** A byte that could be another one and mean the same would be a place to hide something in. */
function isExactly(bytes: Buffer, text: string): boolean {
  return bytes.equals(Buffer.from(text, 'utf8'))
}

function unreadable(): ExportReport {
  const problems = [finding(0, 0, 'export-header')]
  return {
    ok: false,
    genuine: false,
    owner: null,
    events: 0,
    disclosed: 0,
    from: NOWHERE,
    head: NOWHERE,
    problems,
  }
}

class ExportVerifier {
  readonly #header: Header
  readonly #own: ReceiptCheck
  readonly #kept: ReceiptCheck | null
  readonly #linker = new Linker()
  readonly #problems: Finding[] = []
  /** As far as there is no gap. */
  #head: Head
  /** Where the next group has to begin; no link where the line before told none. */
  #next: { readonly seq: number; readonly link: Uint8Array } | null
  #end = 0
  #events = 0
  #disclosed = 0

  constructor(header: Header, since: SignedReceipt | null) {
    this.#header = header
    this.#own = new ReceiptCheck(header.given)
    this.#kept = since === null ? null : new ReceiptCheck(since)
    this.#head = header.from
    this.#next = header.from
    this.#pass(header.from)
    const { from, logId, address } = header
    if (from.seq === 0 && !equalBytes(from.link, genesis(logId, address))) this.#found('export-genesis')
  }

  /** So much is wrong that more would help nobody. */
  get full(): boolean {
    return this.#problems.length >= MAX_FINDINGS
  }

  take({ offset, bytes, broken }: Line): void {
    this.#end = offset + bytes.length + 1
    const group = broken ? null : parsed(bytes)
    if (group === null) {
      this.#found('export-line', offset)
      this.#next = null
      return
    }
    const problem = this.#problemOf(group, bytes)
    if (problem !== null) this.#found(problem, offset)
    const end = { seq: group.records.at(-1)?.seq ?? 0, link: group.link }
    if (problem === null && this.#next !== null) this.#count(group.records)
    this.#next = end
    if (this.#problems.length === 0) this.#pass((this.#head = end))
  }

  report(): ExportReport {
    const { owner, from, to, given } = this.#header
    const end = this.#next
    if (end !== null && !isSame(end, to)) this.#found('export-end', this.#end)
    const whole = this.#problems.length === 0
    const own = this.#own.verdict(this.#header, whole)
    // It has to be of the end, not of some place between.
    if (own === 'agrees' && !isSame(given, to)) this.#found('receipt-link')
    const kept = this.#kept?.verdict(this.#header, whole) ?? 'agrees'
    this.#tell(OWN_RECEIPT[own])
    const genuine = this.#problems.length === 0
    this.#tell(KEPT_RECEIPT[kept])
    const [events, disclosed, problems] = [this.#events, this.#disclosed, this.#problems]
    return { ok: problems.length === 0, genuine, owner, events, disclosed, from, head: this.#head, problems }
  }

  #problemOf(group: ExportGroup, bytes: Buffer): FindingCode | null {
    const { records, link } = group
    const next = this.#next
    const first = next?.seq === undefined ? (records[0]?.seq ?? 0) : next.seq + 1
    if (records.some(({ seq }, i) => seq !== first + i)) return 'export-order'
    if (next !== null && !equalBytes(this.#linkAfter(next.link, records), link)) return 'export-link'
    const told = records.map(retold)
    const untold = told.find((each) => typeof each === 'string')
    if (untold !== undefined) return untold
    const exact = told.filter((each) => typeof each !== 'string')
    if (isExactly(bytes, groupLine({ records: exact, link }))) return null
    return records.every((record, i) => saysTheSame(record, exact[i])) ? 'export-line' : 'export-fact'
  }

  #linkAfter(previous: Uint8Array, records: readonly ExportRecord[]): Buffer {
    this.#linker.begin(previous, records.length)
    for (const record of records) {
      const { seq, at, type, version } = record
      if ('commitment' in record) this.#linker.addCommitment(seq, at, type, version, record.commitment)
      else this.#linker.addBody(seq, at, type, version, concat(record.salt, record.body))
    }
    return this.#linker.end()
  }

  #count(records: readonly ExportRecord[]): void {
    this.#events += records.length
    this.#disclosed += records.filter((record) => 'body' in record).length
  }

  #pass({ seq, link }: Head): void {
    this.#own.pass(seq, link)
    this.#kept?.pass(seq, link)
  }

  #tell(code: FindingCode | null): void {
    if (code !== null) this.#found(code)
  }

  #found(code: FindingCode, offset = 0): void {
    this.#problems.push(finding(0, offset, code))
  }
}

function parsed(bytes: Buffer): ExportGroup | null {
  try {
    return parseGroup(bytes.toString('utf8'))
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}

/** The record with the fact that its body tells, whatever stood beside it. */
function retold(record: ExportRecord): ExportRecord | FindingCode {
  if ('commitment' in record) return record
  try {
    const { type, data } = decodeFact({ ...record, erased: false })
    return { ...record, fact: { type, data: factJson(data) } }
  } catch (error) {
    // A body that no sotto wrote can fail in any way on the road to the present version.
    return isSottoError(error, 'unknown-event') ? 'unknown-event' : 'malformed-event'
  }
}

function saysTheSame(claimed: ExportRecord, told: ExportRecord | undefined): boolean {
  if (!('body' in claimed)) return true
  return told !== undefined && 'body' in told && textOf(claimed) === textOf(told)
}

/** Null for what no fact says, however deep it is. */
function textOf({ fact: { type, data } }: Disclosed): string | null {
  try {
    return JSON.stringify({ type, data: factJson(data) })
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}

function isSame(a: Head, b: Head): boolean {
  return a.seq === b.seq && equalBytes(a.link, b.link)
}
