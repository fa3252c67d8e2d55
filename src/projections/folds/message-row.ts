import type { MessageId } from '../../events/vocabulary/facts.js'
import { heapTable } from '../engine/fold.js'
import type { Form, Reads, Tx } from '../engine/fold.js'
import type { MessageRow, TrailStep } from '../view.js'
import { PROJECTION } from './numbers.js'

/** A message without the names of its properties, which would be two thirds of a short one; its ID is the row's name. */
type Stored = readonly [
  direction: MessageRow['direction'],
  who: string,
  text: string,
  sentAt: number,
  orderedAt: number,
  checkCode: Uint8Array,
  state: MessageRow['state'],
  shown: boolean,
  seqs: readonly number[],
  trail: readonly StoredStep[],
]
type StoredStep = readonly [at: number, what: string, how?: string]

const stored: Form<MessageRow> = {
  write: (row): Stored => [
    row.direction,
    row.with,
    row.text,
    row.sentAt,
    row.orderedAt,
    row.checkCode,
    row.state,
    row.shown,
    row.seqs,
    row.trail.map(({ at, what, how }): StoredStep => (how === undefined ? [at, what] : [at, what, how])),
  ],
  read(value, messageId) {
    const [direction, who, text, sentAt, orderedAt, checkCode, state, shown, seqs, steps] = value as Stored
    const trail = steps.map(([at, what, how]): TrailStep =>
      how === undefined ? { at, what } : { at, what, how },
    )
    // In the order of a row that has just come, so that V8 takes both for one kind.
    return { messageId, text, sentAt, orderedAt, checkCode, seqs, direction, with: who, state, shown, trail }
  },
}

const messageTable = heapTable<MessageRow>(PROJECTION.messages, 1, stored)

export function messageRow(reads: Reads, id: MessageId): MessageRow | undefined {
  return reads.get(messageTable, id)
}

/** @param near a message that it is mostly shown with */
export function saveMessage(tx: Tx, row: MessageRow, near?: MessageId): void {
  tx.put(messageTable, row.messageId, row, near)
}

export function dropMessage(tx: Tx, id: MessageId): void {
  tx.delete(messageTable, id)
}
