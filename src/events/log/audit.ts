import { isSottoError } from '../../foundation/errors.js'
import { Damage, type Problem, problem } from './damage.js'
import { FRAMES_OFFSET, LINK_BYTES } from './format.js'
import type { LogFiles } from './examine.js'
import { type LogKeys, logKeys } from './log-view.js'
import { type LogPlace, openFiles, takeLock } from './open.js'
import { type Survey, survey } from './survey.js'

/** What an audit of the whole log says. `link` is 32 bytes, zero where not even the keyring opens. */
export interface Audit {
  readonly ok: boolean
  /** Records that verified. */
  readonly events: number
  /** The end of what verifies without a gap from the first record on. */
  readonly seq: number
  readonly link: Uint8Array
  readonly problems: readonly Problem[]
}

/**
 * Verifies every byte of the log without a change to it. Works on a damaged log and beside a writer.
 * @throws log-missing when there is no log; log-unavailable when the system does not let it be read; never for damage
 */
export async function auditLog(place: LogPlace): Promise<Audit> {
  try {
    const files = await openFiles(place)
    return reportOf(await surveyed(place, files, logKeys(place.root, files.keyring.logId)))
  } catch (error) {
    if (error instanceof Damage) return blind(error.problem)
    if (isSottoError(error, 'log-unopened')) return blind(problem(0, 0, 'keyring'))
    throw error
  }
}

/**
 * A last segment that is not whole may just be written now, which only the lock can tell: who gets it is alone and
 * looks again; who does not leaves the end to the writer.
 */
async function surveyed(place: LogPlace, files: LogFiles, keys: LogKeys): Promise<Survey> {
  const first = await survey(files, keys, { live: false, walkBytes: Infinity })
  if (first.last === null || first.last.ending.kind === 'whole') return first
  try {
    const unlock = await takeLock(place)
    return await survey(files, keys, { live: false, walkBytes: Infinity }).finally(unlock)
  } catch (error) {
    if (isSottoError(error, 'log-busy')) return survey(files, keys, { live: true, walkBytes: Infinity })
    return first
  }
}

function reportOf(found: Survey): Audit {
  const problems = [...found.problems, ...residueProblems(found)]
  const { events, head } = found
  return { ok: problems.length === 0, events, seq: head.seq, link: head.link, problems }
}

function residueProblems({ last }: Survey): Problem[] {
  if (last?.ending.kind !== 'residue') return []
  const { offset, ambiguous } = last.ending.residue
  const torn = offset < FRAMES_OFFSET ? 'slot' : 'torn-tail'
  return [problem(last.entry.number, offset, ambiguous ? 'ambiguous' : torn)]
}

function blind(found: Problem): Audit {
  return { ok: false, events: 0, seq: 0, link: new Uint8Array(LINK_BYTES), problems: [found] }
}
