import * as v from 'valibot'
import { fromHex, toHex } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import { pack } from '../../foundation/pack.js'
import type { LetterBody, LetterKind } from '../../events/vocabulary/facts.js'
import { avatarField, endpointsField, nicknameField, secret32, textField } from '../links/fields.js'
import { unpackAs } from '../links/packed.js'

/** Kinds as they travel (SPEC § 7.3); 6 recall, 7 file and 8 group are reserved. */
const CODES = {
  text: 1,
  'friend-accept': 2,
  'friend-secret': 3,
  profile: 4,
  read: 5,
} as const satisfies Record<LetterKind, number>
const MESSAGE_ID_BYTES = 16
/** As many read texts as one letter may tell of; more go into the next. */
export const MAX_READ_IDS = 256

const card = { nickname: nicknameField, avatar: v.exactOptional(avatarField) }
const text = v.object({ text: textField })
const friendAccept = v.object({ ...card, token: secret32, secret: secret32, endpoints: endpointsField })
const friendSecret = v.object({ secret: secret32 })
const profile = v.object(card)
const messageId = v.pipe(
  v.instance(Uint8Array),
  v.length(MESSAGE_ID_BYTES),
  v.transform((bytes) => toHex(bytes)),
)
const read = v.object({ ids: v.pipe(v.array(messageId), v.maxLength(MAX_READ_IDS)) })

export function codeOf(kind: LetterKind): number {
  return CODES[kind]
}

export function packBody(letter: LetterBody): Buffer {
  if (letter.kind !== 'read') return pack(letter.body)
  return pack({ ids: letter.body.ids.map(fromHex) })
}

/** Null for a kind this version does not know. @throws malformed for a body that is not of its kind */
export function unpackBody(code: number, bytes: Uint8Array): LetterBody | null {
  switch (code) {
    case CODES.text:
      return { kind: 'text', body: unpackAs(text, bytes) }
    case CODES['friend-accept']:
      return { kind: 'friend-accept', body: unpackAs(friendAccept, bytes) }
    case CODES['friend-secret']:
      return { kind: 'friend-secret', body: unpackAs(friendSecret, bytes) }
    case CODES.profile:
      return { kind: 'profile', body: unpackAs(profile, bytes) }
    case CODES.read:
      return { kind: 'read', body: unpackAs(read, bytes) }
    default:
      return null
  }
}

/** What could not be opened at the other end is not sent. @throws too-large when a body is beyond its kind's limits */
export function packChecked(letter: LetterBody): Buffer {
  const bytes = packBody(letter)
  try {
    unpackBody(codeOf(letter.kind), bytes)
  } catch (cause) {
    throw new SottoError('too-large', `letter of kind ${letter.kind}`, { cause })
  }
  return bytes
}
