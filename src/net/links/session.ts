import { concat, u32, u64 } from '../../foundation/bytes.js'
import { seal, TAG_BYTES, unseal } from '../../foundation/crypto.js'
import { isSottoError, SottoError } from '../../foundation/errors.js'
import { decodeFrame, encodeFrame, type LinkFrame } from './frame.js'

export type { LinkFrame } from './frame.js'

/** One frame with everything around it, in bytes: what a WebSocket message of a link may weigh (SPEC § 6.5). */
export const MAX_FRAME_BYTES = 64 * 1024
const NO_AAD = new Uint8Array(0)

/** What two verified ends hold: a key and a counter for each direction, and the hash of the whole handshake. */
export interface Session {
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
  readonly sent: number
  readonly received: number
  readonly transcript: Uint8Array
}

/** @throws too-large when the frame would weigh more than 64 KiB, malformed for `unknown` */
export function sealFrame(session: Session, frame: LinkFrame): [Session, Buffer] {
  const plain = encodeFrame(frame)
  if (plain.length + TAG_BYTES > MAX_FRAME_BYTES) throw new SottoError('too-large', 'frame')
  const sealed = seal(session.sendKey, frameNonce(session.sent), NO_AAD, plain)
  return [{ ...session, sent: session.sent + 1 }, sealed]
}

/** Null for anything but the peer's next frame (forged, repeated, lost, reordered, malformed): close the link then. */
export function openFrame(session: Session, bytes: Uint8Array): [Session, LinkFrame] | null {
  if (bytes.length > MAX_FRAME_BYTES) return null
  const plain = unseal(session.receiveKey, frameNonce(session.received), NO_AAD, bytes)
  if (plain === null) return null
  try {
    return [{ ...session, received: session.received + 1 }, decodeFrame(plain)]
  } catch (error) {
    if (isSottoError(error, 'malformed')) return null
    throw error
  }
}

/** 0⁴ ‖ u64 counter: a key never sees a nonce twice, the counter being part of the session that comes back. */
function frameNonce(counter: number): Buffer {
  return concat(u32(0), u64(counter))
}
