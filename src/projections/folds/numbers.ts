/** The projections' numbers in row keys (SPEC § 5), never reused. They run in the order of ../folds.ts. */
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
} as const
