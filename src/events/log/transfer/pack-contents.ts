import { equalBytes } from '../../../foundation/bytes.js'
import { SottoError } from '../../../foundation/errors.js'
import type { Head, ReadRecord } from '../record.js'
import type { KeptGroup } from '../rewrite/kept-group.js'
import { GroupPacker } from '../rewrite/packer.js'

/**
 * A log's groups as plaintexts of frames (SPEC § 4.4), with the salts and commitments they have, so that the links come
 * out the same wherever they are read again; filled as frames are. Goes from the first record to `end`, which must end a
 * group.
 * @throws log-corrupt when the records do not lead to `end`, and whatever reading them throws
 */
export async function* packContents(
  frames: AsyncIterable<readonly ReadRecord[]>,
  end: Head,
): AsyncGenerator<Buffer> {
  const packer = new GroupPacker()
  for await (const group of groupsUntil(frames, end)) {
    const full = packer.add(group)
    if (full !== null) yield full.plaintext
  }
  const rest = packer.end()
  if (rest !== null) yield rest.plaintext
}

async function* groupsUntil(
  frames: AsyncIterable<readonly ReadRecord[]>,
  end: Head,
): AsyncGenerator<KeptGroup> {
  let records: ReadRecord[] = []
  for await (const frame of frames) {
    for (const record of frame) {
      records.push(record)
      if (record.link === null) continue
      if (record.seq > end.seq) throw astray()
      const { seq, link } = record
      yield { firstSeq: seq - records.length + 1, nextSeq: seq + 1, link, records }
      records = []
      if (seq < end.seq) continue
      if (!equalBytes(link, end.link)) throw astray()
      return
    }
  }
  throw astray()
}

function astray(): SottoError {
  return new SottoError('log-corrupt', 'it does not lead to its own head')
}
