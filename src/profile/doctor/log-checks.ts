import type { AuditAnswer } from '../proof/audit-profile.js'
import type { Finding } from '../proof/finding.js'
import { type Check, check } from './check.js'

/** A clock that runs a little behind is no reason to worry. */
const CLOCK_TOLERANCE_MS = 120_000

const DEVICE: Readonly<Record<AuditAnswer['device'], string>> = {
  active: 'speaks for you',
  superseded: 'another one speaks for you now; this one only reads',
  conflict: 'another one speaks for you at the same time; see sotto device list',
}

/** What an audit of the whole log comes to. */
export function logChecks(audit: AuditAnswer, now: number): Check[] {
  const shown = audit.problems.filter(({ code }) => code === 'projection')
  const others = audit.problems.filter(({ code }) => code !== 'projection')
  return [
    check('log', others.length === 0, logDetail(audit, others)),
    check('projections', shown.length === 0, projectionsDetail(audit, shown)),
    check('device', audit.device === 'active', DEVICE[audit.device]),
    clock(audit.at, now),
  ]
}

function logDetail({ events, pending, unlisted }: AuditAnswer, problems: readonly Finding[]): string {
  const [first] = problems
  if (first !== undefined) {
    const place = `segment ${first.segment}, offset ${first.offset}: ${first.code}`
    const count = problems.length + unlisted
    return `${count === 1 ? place : `${count} problems, the first in ${place}`}; see sotto log audit`
  }
  const waiting = pending > 0 ? `; ${pending} forgotten ones are being erased` : ''
  return `${events} events, every link and seal holds${waiting}`
}

function projectionsDetail({ compared }: AuditAnswer, different: readonly Finding[]): string {
  if (different.length > 0) {
    return `${different.map(({ detail }) => detail).join(', ')}: not what the log says; run sotto log replay`
  }
  return compared === null ? 'not compared' : `${compared} equal to a fresh replay`
}

/** Messages are ordered by time stamps: a clock before the newest of them was set back, or was ahead. */
function clock(newest: number | null, now: number): Check {
  const ok = newest === null || newest <= now + CLOCK_TOLERANCE_MS
  return check(
    'clock',
    ok,
    ok ? 'not before the newest event' : 'before the newest event; set the system date',
  )
}
