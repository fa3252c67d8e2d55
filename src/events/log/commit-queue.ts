import { SottoError } from '../../foundation/errors.js'
import { FRAME_BODY_BYTES, FRAME_RECORDS, MAX_FRAME_BYTES } from './format.js'
import { TAG_BYTES } from '../../foundation/crypto.js'
import { type Group, groupBytes } from './frame-plaintext.js'
import { type Appended, checkRecord } from './record.js'

/** An append that waits for its commit. */
interface Waiting {
  readonly group: Group
  readonly bodyBytes: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
}

/** Appends in the order they came; a commit takes as many as make one frame. */
export class CommitQueue {
  #waiting: Waiting[] = []

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** @returns when the group is durable; rejects at once with malformed or too-large, and then nothing was queued */
  add(group: Group): Promise<Appended> {
    return new Promise((resolve, reject) => {
      checkGroup(group)
      const bodyBytes = group.reduce((sum, { body }) => sum + body.length, 0)
      this.#waiting.push({ group, bodyBytes, resolve, reject })
    })
  }

  /** What the next frame holds: at least one append, and more while they stay within 256 records and 64 KiB. */
  take(): Waiting[] {
    let records = 0
    let bytes = 0
    let count = 0
    for (const { group, bodyBytes } of this.#waiting) {
      records += group.length
      bytes += bodyBytes
      if (count > 0 && (records > FRAME_RECORDS || bytes > FRAME_BODY_BYTES)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}

function checkGroup(group: Group): void {
  if (group.length === 0) throw new SottoError('malformed', 'an append of nothing')
  for (const record of group) checkRecord(record)
  if (groupBytes(group) + TAG_BYTES > MAX_FRAME_BYTES)
    throw new SottoError('too-large', 'an append over 4 MiB')
}
