import { SALT_BYTES } from './format.js'
import type { ReadRecord } from './record.js'

const NOTHING = new Uint8Array(0)

/** A record where it stands in its frame. Views are made when they are asked for: most of a walk needs none. */
export class FrameRecord implements ReadRecord {
  groupEnd = false
  link: Uint8Array | null = null
  readonly seq: number
  readonly at: number
  readonly type: number
  readonly version: number
  readonly erased: boolean
  readonly #frame: Buffer
  readonly #start: number
  readonly #end: number

  /** @param start of salt and body, or of the commitment, in the frame's plaintext; `end` is behind it */
  constructor(
    seq: number,
    at: number,
    type: number,
    version: number,
    erased: boolean,
    frame: Buffer,
    start: number,
    end: number,
  ) {
    this.seq = seq
    this.at = at
    this.type = type
    this.version = version
    this.erased = erased
    this.#frame = frame
    this.#start = start
    this.#end = end
  }

  /** @param link the chain's, after the group that this record ends */
  endGroup(link: Uint8Array): void {
    this.groupEnd = true
    this.link = link
  }

  get body(): Uint8Array {
    return this.erased ? NOTHING : this.#frame.subarray(this.#start + SALT_BYTES, this.#end)
  }

  get kept(): Uint8Array {
    return this.#frame.subarray(this.#start, this.#end)
  }
}
