import * as v from 'valibot'
import { SottoError } from '../../foundation/errors.js'
import { isDiskFull } from '../../foundation/system-trouble.js'
import type { MessageRow, MessageState } from '../../projections/view.js'
import { messageAnswer } from '../answers.js'
import { queueMessage } from '../decisions/queue-message.js'
import { isSuperseded } from '../decisions/must-speak.js'
import { showConversation } from '../decisions/show-conversation.js'
import { sayDuration } from '../duration.js'
import { waitFor } from '../wait-for.js'
import { type Call, Milliseconds, Text, Timeout, Who, method, person } from './method.js'

const MAX_TEXT_CHARACTERS = 65_536
const MAX_MESSAGES = 1_000
const DEFAULT_MESSAGES = 100
const MAX_SEARCH_CHARACTERS = 256
const MESSAGE_ID = /^[0-9a-f]{32}$/

/** How far a message has come; failed is an end too. */
const PROGRESS: Readonly<Record<MessageState, number>> = {
  queued: 0,
  sent: 1,
  delivered: 2,
  read: 3,
  received: 3,
  failed: 4,
}

const Send = v.object({
  ...Who.entries,
  text: Text(MAX_TEXT_CHARACTERS),
  wait: v.optional(v.picklist(['queued', 'sent', 'delivered']), 'queued'),
  timeout: v.optional(Timeout, 0),
})

export const send = method(Send, async (call, params) => {
  const { host, view, signal } = call
  const { id } = person(call, params.who)
  const { messageId } = await host.profile.decide((deciding) => queueMessage(deciding, id, params.text))
  if (params.wait !== 'queued') {
    await host.net()
    const reached = () => PROGRESS[messageOf(call, messageId).state] >= PROGRESS[params.wait]
    await waitFor(host.profile, reached, params.timeout * 1000, signal)
  }
  const { state, sentAt } = messageOf(call, messageId)
  return { messageId, state, at: sentAt, superseded: isSuperseded(view) }
})

const Read = v.object({
  ...Who.entries,
  since: v.optional(Milliseconds),
  limit: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_MESSAGES)),
    DEFAULT_MESSAGES,
  ),
})

/** One event a message: an answer of any length stays within the bound of a line, and only what left counts as read. */
export const read = method(Read, async (call, { who, since, limit }) => {
  const { id } = person(call, who)
  await emitShown(call, id, call.view.conversation(id, { limit, ...(since === undefined ? {} : { since }) }))
  return {}
})

export const show = method(v.object({ messageId: Text(64) }), (call, params) => {
  const { messageId, state, trail } = messageOf(call, params.messageId)
  return { messageId, state, trail: trail.map(({ at, what, how }) => ({ at, what, how: how ?? null })) }
})

export const list = method(v.object({}), ({ view }) => ({
  conversations: view.conversations().map((conversation) => ({
    id: conversation.with,
    nickname: view.contact(conversation.with)?.nickname ?? '',
    messages: conversation.messages,
    unread: conversation.unread,
    lastAt: conversation.lastAt,
    after: sayDuration(view.disappearsAfter(conversation.with)),
  })),
}))

/** Case and form of letters do not matter. One event a message; searching shows nobody's message as read. */
export const search = method(v.object({ text: Text(MAX_SEARCH_CHARACTERS) }), (call, params) => {
  const { view } = call
  const wanted = folded(params.text)
  if (wanted === '') throw new SottoError('usage', 'there is nothing to search for')
  const rows = view.conversations().flatMap((each) => matches(call, each.with, each.messages, wanted))
  rows.sort((a, b) => a.sentAt - b.sentAt)
  for (const row of rows.slice(-MAX_MESSAGES)) call.emit({ with: row.with, ...messageAnswer(view, row) })
  return {}
})

function matches(call: Call, id: string, messages: number, wanted: string): MessageRow[] {
  return call.view
    .conversation(id, { limit: Math.max(1, messages) })
    .filter((row) => isInSight(call, row) && folded(row.text).includes(wanted))
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** @throws not-found */
function messageOf(call: Call, id: string): MessageRow {
  const message = MESSAGE_ID.test(id) ? call.view.message(id) : undefined
  if (message === undefined || !isInSight(call, message)) throw new SottoError('not-found', 'no such message')
  return message
}

/** What has disappeared by now is shown no more, whether or not it was named forgotten yet. */
function isInSight({ view, host }: Call, message: MessageRow): boolean {
  return (view.disappearsAt(message) ?? Infinity) > host.profile.clock.now()
}

export async function emitShown(call: Call, from: string, messages: readonly MessageRow[]): Promise<void> {
  const rows = messages.filter((row) => isInSight(call, row))
  for (const row of rows) call.emit(messageAnswer(call.view, row))
  const shown = rows.filter((row) => row.direction === 'in' && !row.shown).map((row) => row.messageId)
  if (shown.length === 0) return
  await call.host.profile
    .change((deciding) => showConversation(deciding, from, shown))
    .catch((error: unknown) => {
      // They were shown; with a full disk that is not remembered.
      if (!isDiskFull(error)) throw error
    })
}
