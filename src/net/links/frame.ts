import * as v from 'valibot'
import { concat, fromHex, lp, toHex, u32, u8 } from '../../foundation/bytes.js'
import { KEY_BYTES, MD5_BYTES } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { pack } from '../../foundation/pack.js'
import { Reader } from '../../foundation/reader.js'
import type { Endpoint, MessageId } from '../../events/vocabulary/facts.js'
import { DEVICE_STATEMENT_BYTES } from '../../keys/device-statement.js'
import { endpointsField } from './fields.js'
import { type Have, haveBody, readHave } from './have.js'
import { unpackAs } from './packed.js'
import { padded } from './padding.js'

/** What travels on an established link, by type (SPEC § 6.5). */
export type LinkFrame =
  | { readonly type: 'letter'; readonly bytes: Uint8Array }
  | { readonly type: 'ack'; readonly messageId: MessageId; readonly what: 'delivered' | 'read' }
  /** A status check: 32 random bytes. */
  | { readonly type: 'check'; readonly nonce: Uint8Array }
  | { readonly type: 'answer'; readonly md5: Uint8Array; readonly mac: Uint8Array }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  | { readonly type: 'endpoints'; readonly endpoints: readonly Endpoint[] }
  /** The statement of a device that is newer than the one addressed, or stands beside it: 123 bytes, not yet verified. */
  | { readonly type: 'superseded'; readonly statement: Uint8Array }
  | ({ readonly type: 'have' } & Have)
  | { readonly type: 'close' }
  /** Of a newer version or reserved: ignored, not answered. */
  | { readonly type: 'unknown'; readonly code: number }

const CODES = {
  ...{ letter: 1, ack: 2, check: 3, answer: 4, ping: 5, pong: 6, endpoints: 7 },
  ...{ superseded: 11, have: 12, close: 15 },
} as const
const ACKS = ['delivered', 'read'] as const
const MESSAGE_ID_BYTES = 16
const RESERVED = u32(0)
const endpointsBody = v.object({ endpoints: endpointsField })

/** u8 type ‖ u32 offset ‖ u32 acked (both reserved) ‖ lp(body) ‖ zeros up to the bucket. @throws malformed for `unknown` */
export function encodeFrame(frame: LinkFrame): Buffer {
  if (frame.type === 'unknown') throw new SottoError('malformed', 'a frame without a meaning')
  return padded(concat(u8(CODES[frame.type]), RESERVED, RESERVED, lp(bodyOf(frame))))
}

function bodyOf(frame: Exclude<LinkFrame, { type: 'unknown' }>): Uint8Array {
  switch (frame.type) {
    case 'letter':
      return frame.bytes
    case 'ack':
      return concat(fromHex(frame.messageId), u8(ACKS.indexOf(frame.what)))
    case 'check':
      return frame.nonce
    case 'answer':
      return concat(frame.md5, frame.mac)
    case 'endpoints':
      return pack({ endpoints: frame.endpoints })
    case 'superseded':
      return frame.statement
    case 'have':
      return haveBody(frame)
    case 'ping':
    case 'pong':
    case 'close':
      return new Uint8Array(0)
  }
}

/** @throws malformed */
export function decodeFrame(bytes: Uint8Array): LinkFrame {
  const reader = new Reader(bytes)
  const code = reader.u8()
  reader.u32()
  reader.u32()
  const body = reader.lp(bytes.length)
  reader.zeros()
  return parseBody(code, body)
}

function parseBody(code: number, body: Buffer): LinkFrame {
  const reader = new Reader(body)
  switch (code) {
    case CODES.letter:
      return { type: 'letter', bytes: body }
    case CODES.ack:
      return whole(reader, {
        type: 'ack',
        messageId: toHex(reader.bytes(MESSAGE_ID_BYTES)),
        what: readAck(reader),
      })
    case CODES.check:
      return whole(reader, { type: 'check', nonce: reader.bytes(KEY_BYTES) })
    case CODES.answer:
      return whole(reader, { type: 'answer', md5: reader.bytes(MD5_BYTES), mac: reader.bytes(KEY_BYTES) })
    case CODES.ping:
      return whole(reader, { type: 'ping' })
    case CODES.pong:
      return whole(reader, { type: 'pong' })
    case CODES.endpoints:
      return { type: 'endpoints', ...unpackAs(endpointsBody, body) }
    case CODES.superseded:
      return whole(reader, { type: 'superseded', statement: reader.bytes(DEVICE_STATEMENT_BYTES) })
    case CODES.have:
      return whole(reader, { type: 'have', ...readHave(reader) })
    case CODES.close:
      return whole(reader, { type: 'close' })
    default:
      return { type: 'unknown', code }
  }
}

function whole(reader: Reader, frame: LinkFrame): LinkFrame {
  reader.end()
  return frame
}

function readAck(reader: Reader): 'delivered' | 'read' {
  const what = ACKS[reader.u8()]
  if (what === undefined) throw new SottoError('malformed', 'acknowledgement')
  return what
}
