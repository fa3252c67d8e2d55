import type { MessageId } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { heapTable } from '../engine/fold.js'
import type { Form, Reads, Tx } from '../engine/fold.js'
import type { PackWriter } from '../engine/pack-writer.js'
import type { MessageRow, MessageState, TrailStep } from '../view.js'
import { neighbourOf } from './conversation-lists.js'
import { PROJECTION } from './numbers.js'

/** A message without the names of its properties, which would be two thirds of a short one; its ID is the row's name. */
type Stored = readonly [
  mine: boolean,
  who: string,
  text: string,
  sentAt: number,
  /** Null where it is `sentAt`. */
  orderedAt: number | null,
  checkCode: Uint8Array,
  state: number,
  shown: boolean,
  seqs: readonly number[],
  trail: readonly StoredStep[],
]
type StoredStep = readonly [at: number, what: number | string, how?: string]

/** By their numbers in rows. What else a trail may tell stands there in full. */
const STATES: readonly MessageState[] = ['queued', 'sent', 'delivered', 'read', 'failed', 'received']
const STEPS: readonly string[] = [...STATES, 'shown', 'requeued']
const STATE_NUMBERS = new Map(STATES.map((state, n) => [state, n]))
const STEP_NUMBERS = new Map(STEPS.map((step, n) => [step, n]))
const FIELDS = 10

const stored: Form<MessageRow> = {
  write(row, out) {
    out.array(FIELDS)
    out.boolean(row.direction === 'out')
    out.text(row.with)
    out.text(row.text)
    out.number(row.sentAt)
    if (row.orderedAt === row.sentAt) out.nothing()
    else out.number(row.orderedAt)
    out.bytes(row.checkCode)
    out.number(STATE_NUMBERS.get(row.state) ?? 0)
    out.boolean(row.shown)
    out.array(row.seqs.length)
    for (const seq of row.seqs) out.number(seq)
    out.array(row.trail.length)
    for (const step of row.trail) writeStep(step, out)
  },
  read(value, messageId) {
    const [mine, who, text, sentAt, orderedAt, checkCode, state, shown, seqs, steps] = value as Stored
    // In the order of a row that has just come, so that V8 takes both for one kind.
    return {
      messageId,
      text,
      sentAt,
      orderedAt: orderedAt ?? sentAt,
      checkCode,
      seqs,
      direction: mine ? 'out' : 'in',
      with: who,
      state: promised(STATES[state], 'a message in no state'),
      shown,
      trail: steps.map(readStep),
    }
  },
  groupOf: (row) => row.with,
  neighbourOf,
}

function writeStep({ at, what, how }: TrailStep, out: PackWriter): void {
  out.array(how === undefined ? 2 : 3)
  out.number(at)
  const known = STEP_NUMBERS.get(what)
  if (known === undefined) out.text(what)
  else out.number(known)
  if (how !== undefined) out.text(how)
}

function readStep([at, step, how]: StoredStep): TrailStep {
  const what = typeof step === 'string' ? step : promised(STEPS[step], 'a step that there is not')
  return how === undefined ? { at, what } : { at, what, how }
}

const messageTable = heapTable<MessageRow>(PROJECTION.messages, 1, stored)

export function messageRow(reads: Reads, id: MessageId): MessageRow | undefined {
  return reads.get(messageTable, id)
}

export function saveMessage(tx: Tx, row: MessageRow): void {
  tx.put(messageTable, row.messageId, row)
}

export function dropMessage(tx: Tx, id: MessageId): void {
  tx.delete(messageTable, id)
}
