import type { Fact } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import { formatTrackerUrl, parseTrackerUrl } from '../../net/tracker/url.js'
import { type Deciding, fact } from './context.js'

/** A tracker by its URL with the pinned key; adding twice changes nothing. @throws bad-tracker-url */
export function addTracker({ view }: Deciding, text: string): Fact[] {
  const url = formatTrackerUrl(parseTrackerUrl(text))
  return view.trackers().some((tracker) => tracker.url === url) ? [] : [fact('TrackerAdded', { url })]
}

/** @throws bad-tracker-url, not-found */
export function removeTracker({ view }: Deciding, text: string): Fact[] {
  const url = formatTrackerUrl(parseTrackerUrl(text))
  if (!view.trackers().some((tracker) => tracker.url === url)) {
    throw new SottoError('not-found', 'no such tracker in the list')
  }
  return [fact('TrackerRemoved', { url })]
}
