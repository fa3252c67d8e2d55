import { auditLog } from '../../events/log/audit.js'
import type { LogPlace } from '../../events/log/open.js'
import { type RecordWalk, walkRecords } from '../../events/log/walk-records.js'
import { toHex } from '../../foundation/bytes.js'
import { isSottoError } from '../../foundation/errors.js'
import { FactAudit } from './fact-audit.js'
import { type Finding, type FindingCode, MAX_FINDINGS, finding } from './finding.js'
import { ReceiptCheck, type Verdict } from './receipt-check.js'
import { type SignedReceipt, isGenuine } from './receipt.js'

/** The projections beside a fresh replay; `onTheChain` is false where they tell of another history than the log. */
export interface Comparison {
  readonly onTheChain: boolean
  readonly projections: readonly { readonly name: string; readonly equal: boolean }[]
}

export interface AuditOptions {
  readonly place: LogPlace
  /** One that was kept elsewhere. */
  readonly since?: SignedReceipt | null
  /** This process erases what is forgotten: what is not erased yet is under way. */
  readonly erasing?: boolean
  /** Asked only of a log that is whole; null when there is nothing to compare, or another process has it open. */
  readonly compare: () => Promise<Comparison | null>
}

/** docs/CLI.md, `log audit`. */
export interface AuditAnswer {
  readonly ok: boolean
  /** Records that verified, those behind a damaged place included. */
  readonly events: number
  /** The end of what verifies without a gap from the first record on; the link in hex. */
  readonly seq: number
  readonly link: string
  readonly problems: readonly Finding[]
  /** How many more there are than are listed. */
  readonly unlisted: number
  /** Forgotten records whose bytes are still on the disk: the next opening erases them. */
  readonly pending: number
  /** Projections that were compared with a fresh replay; null when they could not be. */
  readonly compared: number | null
  /** Time of the newest record, milliseconds since 1970. */
  readonly at: number | null
  readonly device: FactAudit['device']
}

/** What a receipt kept elsewhere says about the log. */
const KEPT_RECEIPT: Readonly<Record<Verdict, FindingCode | null>> = {
  agrees: null,
  forged: 'receipt-signature',
  'other-log': 'receipt-other-log',
  before: 'receipt-link',
  beyond: 'rolled-back',
  unreached: 'receipt-unreached',
  differs: 'receipt-link',
}

/**
 * Everything that can be said of a log without a change to it: its files, what its records say, a receipt, and what is
 * shown. Works on a damaged log, and beside a writer.
 * @throws log-missing; never for damage
 */
export async function auditProfile(options: AuditOptions): Promise<AuditAnswer> {
  const { place, since = null, erasing = false, compare } = options
  const files = await auditLog(place)
  const facts = new FactAudit(erasing ? Infinity : undefined)
  const walk = await opened(place)
  const receipt = since === null ? null : new ReceiptCheck(since)
  if (walk !== null) await follow(walk, files.ok ? Infinity : files.seq, facts, receipt)
  const said = facts.findings()
  const kept = since === null ? null : keptReceipt(since, receipt, walk, place, files.ok)
  const shown = files.ok && said.length === 0 ? await compare() : null
  const found = [...files.problems, ...said, ...told(kept), ...differences(shown)]
  return {
    ok: found.length === 0,
    events: files.events,
    seq: files.seq,
    link: toHex(files.link),
    problems: found.slice(0, MAX_FINDINGS),
    unlisted: Math.max(0, found.length - MAX_FINDINGS),
    pending: facts.pending,
    compared: shown?.projections.length ?? null,
    at: facts.newestAt,
    device: facts.device,
  }
}

/** Null where not even keyring and manifest open, which the audit of the files has told. */
async function opened(place: LogPlace): Promise<RecordWalk | null> {
  try {
    return await walkRecords(place)
  } catch (error) {
    if (isSottoError(error, 'log-corrupt') || isSottoError(error, 'log-unopened')) return null
    throw error
  }
}

/** The receipt sees only what comes before the first gap. */
async function follow(
  walk: RecordWalk,
  until: number,
  facts: FactAudit,
  receipt: ReceiptCheck | null,
): Promise<void> {
  receipt?.pass(0, walk.genesis)
  for await (const frame of walk.frames) {
    facts.take(frame)
    for (const { seq, link } of frame.records) {
      if (link !== null && seq <= until) receipt?.pass(seq, link)
    }
  }
}

function keptReceipt(
  since: SignedReceipt,
  check: ReceiptCheck | null,
  walk: RecordWalk | null,
  place: LogPlace,
  whole: boolean,
): FindingCode | null {
  if (walk === null || check === null) return isGenuine(since) ? 'receipt-unreached' : 'receipt-signature'
  return KEPT_RECEIPT[check.verdict({ logId: walk.logId, address: place.owner }, whole)]
}

function told(code: FindingCode | null): Finding[] {
  return code === null ? [] : [finding(0, 0, code)]
}

function differences(shown: Comparison | null): Finding[] {
  if (shown === null) return []
  if (!shown.onTheChain) return [finding(0, 0, 'projection', 'another history')]
  const different = shown.projections.filter(({ equal }) => !equal)
  return different.map(({ name }) => finding(0, 0, 'projection', name))
}
