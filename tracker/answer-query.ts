import { REPLY_ROOM } from '../src/net/tracker/datagram.js'
import { type KeyQuery, type KeyReply, keyReplyBytes } from '../src/net/tracker/operations.js'
import type { TrackerState } from './turn.js'

const COUNT_BYTES = 1
const KNOWN_MODULUS = 2 ** 32
/** Kept free for each key that comes later: the longest answer that is not a record. */
const LEAST_BYTES = 3

/** As many records as fit the reply, in the order asked; the rest is to be asked for again. */
export function answerQuery(
  state: TrackerState,
  keys: readonly KeyQuery[],
  now: number,
): readonly KeyReply[] {
  let room = REPLY_ROOM - COUNT_BYTES - keys.length * LEAST_BYTES
  return keys.map((key) => {
    const answer = answerKey(state, key, now)
    const extra = Math.max(0, keyReplyBytes(answer) - LEAST_BYTES)
    if (extra > room) return { kind: 'ask-again' }
    room -= extra
    return answer
  })
}

function answerKey({ table, limits }: TrackerState, { prefix, known }: KeyQuery, now: number): KeyReply {
  const record = table.get(prefix, now)
  if (record === undefined) return { kind: 'unknown', retrySeconds: limits.retrySeconds }
  return record.seq % KNOWN_MODULUS === known ? { kind: 'unchanged' } : { kind: 'record', record }
}
