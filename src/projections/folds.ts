import type { FactType } from '../events/vocabulary/facts.js'
import type { AnyFold } from './engine/fold.js'
import { allowList } from './folds/allow-list.js'
import { contacts } from './folds/contacts.js'
import { conversations } from './folds/conversations.js'
import { dedupe } from './folds/dedupe.js'
import { disappearing } from './folds/disappearing.js'
import { erasures } from './folds/erasures.js'
import { forgotten } from './folds/forgotten.js'
import { messages } from './folds/messages.js'
import { outbox } from './folds/outbox.js'
import { presence } from './folds/presence.js'
import { self } from './folds/self.js'
import { settings } from './folds/settings.js'
import { trackers } from './folds/trackers.js'

const ALL = [
  self,
  contacts,
  presence,
  settings,
  trackers,
  allowList,
  conversations,
  disappearing,
  messages,
  outbox,
  dedupe,
  forgotten,
  erasures,
] as const

type FactsOf<F> = F extends { readonly on: infer On } ? keyof On : never
type Projected = FactsOf<(typeof ALL)[number]>

/** Facts that no projection takes up, each with the reason: a new kind of fact compiles only in a fold or in here. */
export const UNPROJECTED = {
  LogRecovered: 'told from the log, to whoever audits it',
  LogKeyRotated: 'told from the log, to whoever audits it',
  GateRefused: 'told from the log, to whoever audits it',
} as const satisfies Record<Exclude<FactType, Projected>, string>

/** Every projection, in the order in which each fact passes through them. */
export const FOLDS: readonly AnyFold[] = ALL
