import type { MessageId } from '../../events/vocabulary/facts.js'
import { heapTable } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import type { MessageRow } from '../view.js'
import { PROJECTION } from './numbers.js'

const messageTable = heapTable<MessageRow>(PROJECTION.messages, 1)

export function messageRow(reads: Reads, id: MessageId): MessageRow | undefined {
  return reads.get(messageTable, id)
}

export function saveMessage(tx: Tx, row: MessageRow): void {
  tx.put(messageTable, row.messageId, row)
}

export function dropMessage(tx: Tx, id: MessageId): void {
  tx.delete(messageTable, id)
}
