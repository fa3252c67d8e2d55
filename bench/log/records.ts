import { randomBytes } from 'node:crypto'

/** A message as a messenger's log holds it: about 440 bytes packed, of which the most is text. */
export interface Message {
  readonly messageId: string
  readonly from: string
  readonly sentAt: number
  readonly kind: 'text'
  readonly text: string
}

/** Of a packed message. */
export const PACKED_BYTES = 440
export const BATCH = 1000

const PEOPLE = 40
const TEXT_CHARACTERS = 273

/** The same work for every store: objects in, objects out. */
export function* batches(records: number, size = BATCH): Generator<Message[]> {
  const people = Array.from({ length: PEOPLE }, () => randomBytes(30).toString('hex'))
  for (let done = 0; done < records; done += size) {
    yield Array.from({ length: Math.min(size, records - done) }, (_, i) => message(people, done + i))
  }
}

function message(people: readonly string[], n: number): Message {
  const messageId = randomBytes(16).toString('hex')
  const text = randomBytes(TEXT_CHARACTERS / 2 + 1)
    .toString('hex')
    .slice(0, TEXT_CHARACTERS)
  return { messageId, from: people[n % PEOPLE] ?? '', sentAt: 1_700_000_000_000 + n, kind: 'text', text }
}

/** What a replay comes to: how many messages of whom, and the last of each. */
export class Inbox {
  readonly #of = new Map<string, { count: number; last: Message }>()
  total = 0

  take(message: Message): void {
    const known = this.#of.get(message.from)
    if (known === undefined) this.#of.set(message.from, { count: 1, last: message })
    else {
      known.count++
      known.last = message
    }
    this.total++
  }
}
