import type { Fact, UserId } from '../../events/vocabulary/facts.js'
import { type Deciding, fact } from './context.js'

/** After how long messages with this person disappear, milliseconds; null: never. What was so already changes nothing. */
export function setDisappearing({ view }: Deciding, who: UserId, afterMs: number | null): Fact[] {
  if (view.disappearsAfter(who) === afterMs) return []
  return [fact('DisappearingSet', { with: who, afterMs })]
}
