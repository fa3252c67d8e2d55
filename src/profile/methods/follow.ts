import * as v from 'valibot'
import type { StoredFact, UserId } from '../../events/vocabulary/facts.js'
import type { MessageRow } from '../../projections/view.js'
import { readSetting } from '../settings.js'
import { emitShown } from './chats.js'
import { type Call, Milliseconds, Who, method, person } from './method.js'

const MAX_BACKLOG = 1_000
const DEFAULT_BACKLOG = 20

const Follow = v.object({
  ...Who.entries,
  since: v.optional(Milliseconds),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_BACKLOG)), DEFAULT_BACKLOG),
})

/**
 * A conversation as it goes on, until the asker leaves: what is there, then every message once, as it comes. What was
 * emitted is marked as shown. Opening it is an update point (PRE-4), and so is every refresh.interval while it is open.
 */
export const follow = method(Follow, async (call, { who, since, limit }) => {
  const { id } = person(call, who)
  const backlog =
    limit === 0 ? [] : call.view.conversation(id, { limit, ...(since === undefined ? {} : { since }) })
  const queue: MessageRow[] = [...backlog]
  let wake: () => void = () => undefined
  const isOpen = () => !call.signal.aborted
  const unwatch = call.host.profile.watch((fact) => {
    const row = textOf(call, id, fact)
    if (row !== undefined) queue.push(row)
    wake()
  })
  const stopRefreshing = refresh(call, id)
  call.signal.addEventListener('abort', () => wake(), { once: true })
  try {
    while (isOpen()) {
      await emitShown(call, id, queue.splice(0))
      if (queue.length === 0 && isOpen()) await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    unwatch()
    stopRefreshing()
  }
  return {}
})

/** The text that a fact brought into this conversation. */
function textOf({ view }: Call, id: UserId, fact: StoredFact): MessageRow | undefined {
  if (fact.type === 'MessageReceived' && fact.data.from === id) return view.message(fact.data.messageId)
  if (fact.type === 'MessageQueued' && fact.data.to === id) return view.message(fact.data.messageId)
  return undefined
}

/** Asks the network who is there, now and every so often. Nothing of it is allowed to end the conversation. */
function refresh({ host, view, signal }: Call, who: UserId): () => void {
  const ask = async (kind: 'chat-opened' | 'check') => {
    const net = await host.net()
    if (!signal.aborted && view.contact(who)?.state === 'friend') await net.command({ kind, who })
  }
  const quietly = (kind: 'chat-opened' | 'check') => void ask(kind).catch(() => undefined)
  quietly('chat-opened')
  const seconds = readSetting(view, 'refresh.interval')
  const timer = seconds === 0 ? undefined : setInterval(() => quietly('check'), seconds * 1000)
  return () => clearInterval(timer)
}
