import * as v from 'valibot'
import { KEY_BYTES, MD5_BYTES } from '../../foundation/crypto.js'
import { utf8 } from '../../foundation/bytes.js'

/** The fields that come from other people, each bounded. */
export const MAX_AVATAR_BYTES = 8 * 1024
export const MAX_TEXT_BYTES = 16 * 1024
export const MAX_NICKNAME_CHARACTERS = 64
export const MAX_ENDPOINTS = 16
const MAX_CERTIFICATE_BYTES = 2048
const MAX_SPKI_BYTES = 2048

/**
 * Letters, marks, digits, punctuation, symbols and plain spaces: no control, format, bidirectional or private characters,
 * which could draw over the rest of a terminal line or hide in a look-alike.
 */
const PRINTABLE = /^(?!\p{M})[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u
/**
 * Characters without ink that count as letters, marks or symbols: a name of them is blank, or a copy of another. U+FE0F may
 * stand behind a pictograph, as keyboards put it.
 */
const INKLESS = /(?!(?<=\p{Extended_Pictographic})\ufe0f)[\p{Default_Ignorable_Code_Point}\u2800]/u
/** More marks than any script stacks on one letter. */
const STACKED_MARKS = /\p{M}{5,}/u
const ENDPOINT = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]):([1-9][0-9]{0,4})$/
const MAX_PORT = 65_535
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
const JPEG = Buffer.from('ffd8ff', 'hex')

const bytes = v.instance(Uint8Array)
export const sized = (length: number) => v.pipe(bytes, v.length(length))
const LONE_SURROGATE = /\p{Cs}/u
const wellFormed = v.pipe(
  v.string(),
  v.check((text) => !LONE_SURROGATE.test(text)),
)

export const secret32 = sized(KEY_BYTES)
export const md5Field = sized(MD5_BYTES)
export const certificateField = v.pipe(bytes, v.maxLength(MAX_CERTIFICATE_BYTES))
export const spkiField = v.pipe(bytes, v.maxLength(MAX_SPKI_BYTES))
export const timeField = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

export const textField = v.pipe(
  wellFormed,
  v.maxLength(MAX_TEXT_BYTES),
  v.check((text) => utf8(text).length <= MAX_TEXT_BYTES),
)
export const nicknameField = v.pipe(
  wellFormed,
  v.maxLength(2 * MAX_NICKNAME_CHARACTERS),
  v.check((name) => isNickname(name)),
)
export const avatarField = v.pipe(
  bytes,
  v.maxLength(MAX_AVATAR_BYTES),
  v.check((picture) => isPicture(picture)),
)
/** `HOST:PORT`, in form only; what may be dialled is the gate's policy. */
export const endpointField = v.pipe(
  v.string(),
  v.check((text) => Number(ENDPOINT.exec(text)?.[1] ?? Infinity) <= MAX_PORT),
)
export const endpointsField = v.pipe(v.array(endpointField), v.maxLength(MAX_ENDPOINTS))

/** The rule for everyone's nicknames; one's own may not be empty besides. */
export function isNickname(name: string): boolean {
  const fits = Array.from(name).length <= MAX_NICKNAME_CHARACTERS
  return fits && PRINTABLE.test(name) && !STACKED_MARKS.test(name) && !INKLESS.test(name)
}

/** A PNG or JPEG, told by its first bytes. */
export function isPicture(bytes: Uint8Array): boolean {
  return startsWith(bytes, PNG) || startsWith(bytes, JPEG)
}

function startsWith(whole: Uint8Array, start: Uint8Array): boolean {
  return Buffer.compare(whole.subarray(0, start.length), start) === 0
}
