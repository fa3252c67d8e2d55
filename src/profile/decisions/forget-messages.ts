import type { Fact, FactData, MessageId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import type { MessageRow, View } from '../../projections/view.js'
import { type Deciding, fact } from './context.js'

const DAY_MS = 86_400_000
/** One fact names at most this many letters, so that it stays a small record. */
export const MAX_LETTERS = 256

type Why = FactData['ContentForgotten']['why']

/** One message, as if it had never been said; if it waits to be sent, it is sent no more. @throws not-found */
export function forgetMessage({ view }: Pick<Deciding, 'view'>, id: MessageId): Fact[] {
  const message = view.message(id)
  if (message === undefined) throw new SottoError('not-found', 'no such message')
  return [forgetting([message], 'asked')]
}

/** Messages whose time has run out, as many as one fact names. */
export function forgetExpired({ view, now }: Pick<Deciding, 'view' | 'now'>): Fact[] {
  const rows = view.expired(now, MAX_LETTERS).flatMap((id) => view.message(id) ?? [])
  return rows.length === 0 ? [] : [forgetting(rows, 'disappeared')]
}

/** The recovery seed, once a backup has taken it along (SPEC § 2.1). */
export function forgetRecoverySeed(view: View): Fact[] {
  const recovery = view.self()?.recovery ?? null
  if (recovery?.backedUp !== true) return []
  return [fact('ContentForgotten', { letters: [], seqs: [recovery.seq], why: 'backup' })]
}

function forgetting(rows: readonly MessageRow[], why: Why): Fact {
  const letters = rows.map(({ messageId, sentAt }) => ({ messageId, day: Math.floor(sentAt / DAY_MS) }))
  return fact('ContentForgotten', { letters, seqs: rows.flatMap(({ seqs }) => seqs), why })
}
