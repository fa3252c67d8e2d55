import * as v from 'valibot'
import {
  COMMITMENT_BYTES,
  ID_BYTES,
  LINK_BYTES,
  MAX_BODY_BYTES,
  MAX_U16,
  MAX_U48,
  SALT_BYTES,
} from '../../events/log/format.js'
import type { Head } from '../../events/log/record.js'
import type { UserId } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import { type Json, base64url } from './fact-json.js'

/**
 * Whoever reads an export takes some 25 times this much memory for a line that was made to be dear. It is room for a
 * group of 25,000 records as commitments, and a hundred times what any command puts into one.
 */
export const MAX_LINE_BYTES = 4 << 20
/** A header has about 600. */
export const MAX_HEADER_BYTES = 2048

const FORMAT = 'log-export'
const VERSION = 1
const ID_CHARACTERS = 60
/** More than a receipt has. */
const MAX_RECEIPT_CHARACTERS = 512

/** The first line (SPEC § 4.9): whose log, and from where to where. */
export interface ExportHeader {
  readonly owner: UserId
  /** 16 bytes. */
  readonly logId: Uint8Array
  /** Before the first group. */
  readonly from: Head
  /** After the last one. */
  readonly to: Head
  /** Text; of `to`. */
  readonly receipt: string
}

interface Meta {
  readonly seq: number
  readonly at: number
  readonly type: number
  readonly version: number
}

/** A record whose content stays its owner's. */
export interface Committed extends Meta {
  /** 32 bytes. */
  readonly commitment: Uint8Array
}

/** A record that was selected: `salt` has 16 bytes; `fact` is what the body says, for people to read. */
export interface Disclosed extends Meta {
  readonly salt: Uint8Array
  readonly body: Uint8Array
  readonly fact: { readonly type: string; readonly data: Json }
}

export type ExportRecord = Committed | Disclosed

/** One commit group; `link` (32 bytes) is the chain's after it. */
export interface ExportGroup {
  readonly records: readonly ExportRecord[]
  readonly link: Uint8Array
}

/** The one way to write it, without a line feed. */
export function headerLine({ owner, logId, from, to, receipt }: ExportHeader): string {
  const state = ({ seq, link }: Head) => ({ seq, link: base64url(link) })
  return JSON.stringify({
    sotto: FORMAT,
    version: VERSION,
    owner,
    logId: base64url(logId),
    from: state(from),
    to: state(to),
    receipt,
  })
}

/** The one way to write it, without a line feed. */
export function groupLine({ records, link }: ExportGroup): string {
  return JSON.stringify({ records: records.map(recordJson), link: base64url(link) })
}

function recordJson(record: ExportRecord): Json {
  const { seq, at, type, version } = record
  const meta = { seq, at, type, version }
  if ('commitment' in record) return { ...meta, commitment: base64url(record.commitment) }
  const { salt, body, fact } = record
  return { ...meta, salt: base64url(salt), body: base64url(body), fact: { type: fact.type, data: fact.data } }
}

const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max))
const bytes = (min: number, max: number) =>
  v.pipe(
    v.string(),
    v.maxLength(Math.ceil((max * 4) / 3)),
    v.transform((text) => Buffer.from(text, 'base64url')),
    v.check((decoded) => decoded.length >= min && decoded.length <= max),
  )
const seq = integer(1, Number.MAX_SAFE_INTEGER)
const link = bytes(LINK_BYTES, LINK_BYTES)
const State = v.strictObject({ seq: integer(0, Number.MAX_SAFE_INTEGER), link })
const Header = v.strictObject({
  sotto: v.literal(FORMAT),
  version: v.literal(VERSION),
  owner: v.pipe(v.string(), v.length(ID_CHARACTERS)),
  logId: bytes(ID_BYTES, ID_BYTES),
  from: State,
  to: State,
  receipt: v.pipe(v.string(), v.maxLength(MAX_RECEIPT_CHARACTERS)),
})
const meta = { seq, at: integer(0, MAX_U48), type: integer(0, MAX_U16), version: integer(0, MAX_U16) }
const CommittedRecord = v.strictObject({ ...meta, commitment: bytes(COMMITMENT_BYTES, COMMITMENT_BYTES) })
const DisclosedRecord = v.strictObject({
  ...meta,
  salt: bytes(SALT_BYTES, SALT_BYTES),
  body: bytes(0, MAX_BODY_BYTES),
  fact: v.strictObject({
    type: v.string(),
    data: v.custom<Json>((value) => typeof value === 'object' && value !== null),
  }),
})
const Group = v.strictObject({
  records: v.pipe(v.array(v.union([CommittedRecord, DisclosedRecord])), v.minLength(1)),
  link,
})

/** @throws malformed; whether the line is written as `headerLine` would is for the caller to compare */
export function parseHeader(line: string): ExportHeader {
  return parse(Header, line)
}

/** @throws malformed; whether the line is written as `groupLine` would is for the caller to compare */
export function parseGroup(line: string): ExportGroup {
  return parse(Group, line)
}

function parse<S extends v.GenericSchema>(schema: S, line: string): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new SottoError('malformed', 'not a line of JSON', { cause })
  }
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (!result.success) throw new SottoError('malformed', 'not a line of an export')
  return result.output
}
