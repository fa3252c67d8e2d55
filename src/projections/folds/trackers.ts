import type { FactOf } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn, removeName } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import { PROJECTION } from './numbers.js'

export interface TrackerRow {
  readonly url: string
  /** When it was added. */
  readonly at: number
}

const trackerTable = table<TrackerRow>(PROJECTION.trackers, 1)
const trackerUrls: NameList = table(PROJECTION.trackers, 2)

export function trackerRow(reads: Reads, url: string): TrackerRow | undefined {
  return reads.get(trackerTable, url)
}

export function trackerRows(reads: Reads): readonly TrackerRow[] {
  return namesIn(reads, trackerUrls).map((url) => promised(trackerRow(reads, url), 'a tracker is missing'))
}

/** Adding one again changes nothing. */
function trackerAdded({ data, at }: FactOf<'TrackerAdded'>, tx: Tx): void {
  if (trackerRow(tx, data.url) !== undefined) return
  addName(tx, trackerUrls, data.url)
  tx.put(trackerTable, data.url, { url: data.url, at })
}

function trackerRemoved({ data }: FactOf<'TrackerRemoved'>, tx: Tx): void {
  removeName(tx, trackerUrls, data.url)
  tx.delete(trackerTable, data.url)
}

export const trackers = fold({
  name: 'trackers',
  number: PROJECTION.trackers,
  version: 1,
  on: { TrackerAdded: trackerAdded, TrackerRemoved: trackerRemoved },
})
