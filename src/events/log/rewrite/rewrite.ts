import { setImmediate as othersFirst } from 'node:timers/promises'
import { isSottoError, SottoError } from '../../../foundation/errors.js'
import type { Rng } from '../../../foundation/rng.js'
import { Damage, problem } from '../damage.js'
import { type LogFiles, examineSegment } from '../examine.js'
import type { LogState } from '../log-state.js'
import type { SegmentEntry } from '../manifest.js'
import { Drafts } from './drafts.js'
import type { Packer } from './packer.js'
import { removeRetired } from './remove-retired.js'
import { type Run, groupsOf, sameSegment } from './source.js'

/** What a rewrite works with. */
export interface Workshop {
  /** Asked before each group whether to go on: a log that is closed or has failed breaks the rewrite off. */
  readonly state: LogState
  readonly rng: Rng
  readonly segmentBytes: number
}

/**
 * The one operation behind forgetting, merging, a new key and compaction (SPEC § 4.6): what the run holds goes through
 * `packer` into new files, which take the run's place in the manifest; then the old files are shredded.
 * A SottoError (damage in the run, or a log that is closed) comes before anything was published, and leaves all as it was; any other
 * error is the disk's, and ends the log.
 */
export async function rewriteRun(workshop: Workshop, run: Run, packer: Packer): Promise<void> {
  const [first] = run
  if (first === undefined) return
  const drafts = new Drafts(workshop, first.entry)
  try {
    for await (const group of groupsOf(workshop.state.files, run)) {
      workshop.state.mustTakeMore()
      await drafts.write(packer.add(group))
    }
    await drafts.write(packer.end())
    await drafts.finish()
    await mustReadBack(workshop.state.files, drafts.entries, run)
    workshop.state.mustTakeMore()
  } catch (error) {
    await drafts.close()
    if (error instanceof SottoError && !isSottoError(error, 'log-failed')) await drafts.abandon()
    throw error
  }
  await replaceRun(workshop.state, run, drafts.entries)
  await removeRetired(
    workshop.state.files,
    workshop.state.manifest,
    run.map(({ entry }) => entry.number),
  )
}

/** What it replaces is about to be destroyed, so what was written has to prove itself first. */
async function mustReadBack(files: LogFiles, written: readonly SegmentEntry[], run: Run): Promise<void> {
  for (const [i, entry] of written.entries()) {
    const { ending } = await examineSegment(files, entry, written[i + 1] ?? run.at(-1)?.next, {
      live: false,
      whole: true,
      beforeFrame: othersFirst,
    })
    if (ending.kind === 'damaged') throw new Damage(problem(entry.number, ending.offset, ending.code))
  }
}

async function replaceRun({ manifest }: LogState, run: Run, entries: readonly SegmentEntry[]): Promise<void> {
  const inRun = (segment: SegmentEntry) => run.some(({ entry }) => sameSegment(entry, segment))
  await manifest.replace(({ segments, drafts, retired }) => {
    const at = segments.findIndex(inRun)
    const rest = segments.filter((segment) => !inRun(segment))
    return {
      segments: [...rest.slice(0, at), ...entries, ...rest.slice(at)],
      drafts: drafts.filter((number) => !entries.some((entry) => entry.number === number)),
      retired: [...retired, ...run.map(({ entry }) => entry.number)],
    }
  })
}
