import * as v from 'valibot'
import { lp } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import { pack, unpack } from '../../foundation/pack.js'
import { Reader } from '../../foundation/reader.js'
import { padded } from './padding.js'

/** `lp(pack(v))` and zeros up to the bucket: lengths tell no answer apart (SPEC § 6.3). */
export function packPadded(value: unknown): Buffer {
  return padded(lp(pack(value)))
}

/** Untrusted msgpack into a typed value; unknown fields are dropped. @throws malformed */
export function unpackAs<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> {
  const parsed = v.safeParse(schema, unpack(bytes))
  if (!parsed.success) throw new SottoError('malformed', 'message fields')
  return parsed.output
}

/** What packPadded made. @throws malformed */
export function unpackPaddedAs<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> {
  const reader = new Reader(bytes)
  const packed = reader.lp(bytes.length)
  reader.zeros()
  return unpackAs(schema, packed)
}
