/** The projections' numbers in row keys (SPEC § 5), never reused. */
export const PROJECTION = {
  self: 1,
  contacts: 2,
  presence: 3,
  settings: 4,
  trackers: 5,
  allowList: 6,
  messages: 7,
  conversations: 8,
  outbox: 9,
  dedupe: 10,
  forgotten: 11,
  disappearing: 12,
  erasures: 13,
} as const
