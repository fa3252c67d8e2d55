import * as v from 'valibot'
import { concat, lp, u32, u64, u8 } from '../../foundation/bytes.js'
import { seal, TAG_BYTES, unseal } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { pack } from '../../foundation/pack.js'
import { Reader } from '../../foundation/reader.js'
import { unpackAs } from '../links/packed.js'
import { padded } from '../links/padding.js'

/** What travels between two devices of one identity (SPEC § 6.6). */
export type DeviceFrame =
  /** Receiver: you are talking to another device of yours, and it is ready. */
  | { readonly type: 'ready' }
  /** Sender: the next bytes of the bundle. */
  | { readonly type: 'bundle'; readonly bytes: Uint8Array }
  /** Sender: that was all of it. */
  | { readonly type: 'end' }
  /** Receiver, while it checks and builds: still here. */
  | { readonly type: 'working' }
  /** Receiver: taken over, durable. */
  | ({ readonly type: 'done' } & Taken)
  /** Either: no, with an error code of ours. */
  | { readonly type: 'refused'; readonly code: string }

/** The state both devices are in now; link and hash as lower-case hex. */
export interface Taken {
  readonly seq: number
  readonly link: string
  readonly hash: string
}

const CODES = { ready: 1, bundle: 2, end: 3, working: 4, done: 5, refused: 6 } as const
/** A frame is at most 64 KiB (SPEC § 6.5), and the largest bucket below that is this. */
const LARGEST_BUCKET = 31 * 2048
const OVERHEAD_BYTES = 1 + 4
/** How much of a bundle one frame takes. */
export const MAX_BUNDLE_BYTES = LARGEST_BUCKET - OVERHEAD_BYTES
const MAX_SEALED_BYTES = LARGEST_BUCKET + TAG_BYTES
const NO_AAD = new Uint8Array(0)

const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const takenFields = v.object({
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  link: hex32,
  hash: hex32,
})
const refusedFields = v.object({ code: v.pipe(v.string(), v.maxLength(64)) })

/** SEAL(key, 0⁴ ‖ u64 counter, '', u8 type ‖ lp(body) ‖ zeros up to the bucket). */
export function sealDeviceFrame(key: Uint8Array, counter: number, frame: DeviceFrame): Buffer {
  const body = bodyOf(frame)
  if (body.length > MAX_BUNDLE_BYTES) throw new SottoError('too-large', 'a frame between devices')
  return seal(key, nonceOf(counter), NO_AAD, padded(concat(u8(CODES[frame.type]), lp(body))))
}

/** @throws malformed for anything but the other device's next frame */
export function openDeviceFrame(key: Uint8Array, counter: number, bytes: Uint8Array): DeviceFrame {
  const plain = bytes.length > MAX_SEALED_BYTES ? null : unseal(key, nonceOf(counter), NO_AAD, bytes)
  if (plain === null) throw new SottoError('malformed', 'a frame between devices')
  const reader = new Reader(plain)
  const code = reader.u8()
  const body = reader.lp(plain.length)
  reader.zeros()
  return parseBody(code, body)
}

function bodyOf(frame: DeviceFrame): Uint8Array {
  switch (frame.type) {
    case 'bundle':
      return frame.bytes
    case 'done':
      return pack({ seq: frame.seq, link: frame.link, hash: frame.hash })
    case 'refused':
      return pack({ code: frame.code })
    default:
      return new Uint8Array(0)
  }
}

function parseBody(code: number, body: Buffer): DeviceFrame {
  switch (code) {
    case CODES.ready:
      return { type: 'ready' }
    case CODES.bundle:
      return { type: 'bundle', bytes: body }
    case CODES.end:
      return { type: 'end' }
    case CODES.working:
      return { type: 'working' }
    case CODES.done:
      return { type: 'done', ...unpackAs(takenFields, body) }
    case CODES.refused:
      return { type: 'refused', ...unpackAs(refusedFields, body) }
    default:
      throw new SottoError('malformed', 'a frame between devices')
  }
}

/** 0⁴ ‖ u64 counter: each direction has its key, each frame its number. */
function nonceOf(counter: number): Buffer {
  return concat(u32(0), u64(counter))
}
