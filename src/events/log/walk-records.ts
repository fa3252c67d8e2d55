import { genesis } from './chain.js'
import { Damage } from './damage.js'
import type { LogFiles } from './examine.js'
import { FrameWalk } from './frame-walk.js'
import { type LogView, logKeys, readView } from './log-view.js'
import type { SegmentEntry } from './manifest.js'
import { type LogPlace, openFiles } from './open.js'
import type { ReadRecord } from './record.js'
import { openSegment } from './segment-file.js'

/** One frame that verified, and where it stands: offsets count bytes from the segment file's start. */
export interface FrameSeen {
  readonly segment: number
  /** Counts the listed segments from 0, in order of the chain. */
  readonly place: number
  readonly offset: number
  readonly records: readonly ReadRecord[]
}

/** What stays the same of a log, damaged or not. */
export interface RecordWalk {
  readonly logId: Uint8Array
  /** The link before the first record, 32 bytes. */
  readonly genesis: Uint8Array
  readonly frames: AsyncIterable<FrameSeen>
}

/** How often a reader whose segments are replaced while it reads looks for the new ones. */
const TRIES = 5

/**
 * Every record that verifies, of a damaged log too: behind a frame that does not, it goes on with the next segment.
 * Whether anything is missing is for `auditLog` to say. One frame is in memory at a time.
 * @throws log-missing, log-unopened; log-corrupt when keyring or manifest cannot be read
 */
export async function walkRecords(place: LogPlace): Promise<RecordWalk> {
  const files = await openFiles(place)
  const { logId, owner } = files.keyring
  const keys = logKeys(place.root, logId)
  const read = () => readView(files, keys)
  return { logId, genesis: genesis(logId, owner), frames: walk(await read(), read) }
}

async function* walk(first: LogView, read: () => Promise<LogView>): AsyncGenerator<FrameSeen> {
  let view = first
  let given = 0
  for (let tries = 1, place = 0; place < view.manifest.segments.length; place++) {
    const entry = view.manifest.segments[place]
    const next = view.manifest.segments[place + 1]
    if (entry === undefined || (next !== undefined && next.firstSeq <= given + 1)) continue
    try {
      for await (const seen of walkSegment(view.files, entry, place)) {
        const records = seen.records.filter(({ seq }) => seq > given)
        given = Math.max(given, seen.records.at(-1)?.seq ?? 0)
        if (records.length > 0) yield { ...seen, records }
      }
    } catch (error) {
      if (!(error instanceof Damage)) throw error
      // A rewrite beside us may just have replaced this segment: then the manifest is another one by now.
      const now = await read()
      if (now.manifest.generation === view.manifest.generation || tries++ === TRIES) continue
      view = now
      place = -1
    }
  }
}

async function* walkSegment(files: LogFiles, entry: SegmentEntry, place: number): AsyncGenerator<FrameSeen> {
  const segment = await openSegment(files, entry)
  try {
    const frames = new FrameWalk(segment)
    for (;;) {
      const { offset } = frames.position
      const records = await frames.next()
      if (records === null) return
      yield { segment: entry.number, place, offset, records }
    }
  } finally {
    await segment.file.close()
  }
}
