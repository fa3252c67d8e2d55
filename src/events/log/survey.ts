import { equalBytes } from '../../foundation/bytes.js'
import { genesis } from './chain.js'
import { Damage, type Problem, problem } from './damage.js'
import { type Examined, type LogFiles, type Look, type Unlisted, examine, unlisted } from './examine.js'
import { type LogKeys, type LogView, readView } from './log-view.js'
import type { Head } from './record.js'

/** Everything a look at a log found out, damage included. */
export interface Survey {
  /** What was looked at. */
  readonly view: LogView
  readonly problems: readonly Problem[]
  /** Records that verified, or that an authentic claim vouches for. */
  readonly events: number
  /** The end of what verifies without a gap from the first record on. */
  readonly head: Head
  /** The newest segment and the one before it. */
  readonly last: Examined | null
  readonly previous: Examined | null
  readonly strays: readonly Unlisted[]
}

/**
 * Looks at all of the log. A writer beside us may replace the manifest and remove files meanwhile: what looks like damage
 * then is looked at again, as often as the manifest is another one afterwards.
 * @throws log-corrupt when the manifest does not open
 */
export async function survey(files: LogFiles, keys: LogKeys, look: Look): Promise<Survey> {
  const read = () => readView(files, keys)
  let view = await read()
  for (;;) {
    const found = await surveyOnce(view, look, read)
    if (found.problems.length === 0) return found
    const now = await read()
    if (now.manifest.generation === view.manifest.generation) return found
    view = now
  }
}

async function surveyOnce(view: LogView, look: Look, read: () => Promise<LogView>): Promise<Survey> {
  const { files, manifest } = view
  const problems: Problem[] = []
  let events = 0
  let head: Head = { seq: 0, link: genesis(files.keyring.logId, files.keyring.owner) }
  let last: Examined | null = null
  let previous: Examined | null = null
  for await (const examined of examine(files, manifest, look)) {
    const { entry, seen, ending } = examined
    const gapless = problems.length === 0 && equalBytes(entry.previousLink, head.link)
    if (seen !== null) {
      events += seen.end.nextSeq - entry.firstSeq
      if (gapless) head = { seq: seen.end.nextSeq - 1, link: seen.end.link }
    }
    if (ending.kind === 'damaged') problems.push(problem(entry.number, ending.offset, ending.code))
    previous = last
    last = examined
  }
  const strays = await unlisted(files, manifest)
  problems.push(...(await strayProblems(strays, read)))
  return { view, problems, events, head, last, previous, strays }
}

/** What a writer beside us began is listed, or a draft, before it holds a frame: so in the manifest as it is by now. */
async function strayProblems(strays: readonly Unlisted[], read: () => Promise<LogView>): Promise<Problem[]> {
  const found = strays.flatMap((stray) => (stray.problem === null ? [] : [stray.problem]))
  if (found.length === 0) return []
  const { segments, drafts, retired } = (await read()).manifest
  const known = [...segments.map(({ number }) => number), ...drafts, ...retired]
  return found.filter(({ segment }) => !known.includes(segment))
}

/** @throws log-corrupt at the first problem */
export function mustBeWhole({ problems }: Survey): void {
  const [first] = problems
  if (first !== undefined) throw new Damage(first)
}
