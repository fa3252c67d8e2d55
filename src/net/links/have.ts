import type { MessageId } from '../../events/vocabulary/facts.js'
import { concat, fromHex } from '../../foundation/bytes.js'
import { mac } from '../../foundation/crypto.js'
import type { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'

/** Tags in every frame, taken or random: with what goes around them they fill a bucket of 8 KiB. */
export const HAVE_TAGS = 2000
const TAG_BYTES = 4
const TIME_BYTES = 6

/**
 * Which of the peer's letters since a time of theirs we have (SPEC § 6.5, frame 12): as many tags in any case, in their
 * order, so that nobody is told how many there are. A tag is good on one link alone; one in two million finds a letter
 * that is not there, which is then sent again only after the next start of either end.
 */
export interface Have {
  /** Milliseconds since 1970: letters sent earlier are not spoken of. */
  readonly since: number
  /** 2000 × 4 bytes, ascending. */
  readonly tags: Uint8Array
}

/** What makes the tags of one link: the pair key and the transcript, 32 bytes each. */
export interface HaveKey {
  readonly pairKey: Uint8Array
  readonly transcript: Uint8Array
  /** `u8`, of the end that has the letters (SPEC § 6.5). */
  readonly direction: Uint8Array
}

/** At most 2000 IDs; the rest is random. */
export function makeHave(key: HaveKey, since: number, ids: readonly MessageId[], rng: Rng): Have {
  const tags = ids.slice(0, HAVE_TAGS).map((id) => tagOf(key, id))
  const random = rng.bytes((HAVE_TAGS - tags.length) * TAG_BYTES)
  for (let at = 0; at < random.length; at += TAG_BYTES) tags.push(random.readUInt32BE(at))
  const sorted = Uint32Array.from(tags).sort()
  const out = Buffer.alloc(HAVE_TAGS * TAG_BYTES)
  for (const [at, tag] of sorted.entries()) out.writeUInt32BE(tag, at * TAG_BYTES)
  return { since, tags: out }
}

/** Those of `ids` that the peer does not have. */
export function missingFrom(have: Have, key: HaveKey, ids: readonly MessageId[]): readonly MessageId[] {
  const bytes = Buffer.from(have.tags)
  const known = new Set<number>()
  for (let at = 0; at < bytes.length; at += TAG_BYTES) known.add(bytes.readUInt32BE(at))
  return ids.filter((id) => !known.has(tagOf(key, id)))
}

/** u48 since ‖ 2000 × bytes[4]. */
export function haveBody({ since, tags }: Have): Buffer {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(since, 0, TIME_BYTES)
  return concat(time, tags)
}

/** @throws malformed */
export function readHave(reader: Reader): Have {
  return { since: reader.u48(), tags: reader.bytes(HAVE_TAGS * TAG_BYTES) }
}

function tagOf({ pairKey, transcript, direction }: HaveKey, id: MessageId): number {
  return mac(pairKey, 'sotto/have/1', direction, transcript, fromHex(id)).readUInt32BE()
}
