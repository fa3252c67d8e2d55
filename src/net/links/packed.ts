import * as v from 'valibot'
import { SottoError } from '../../foundation/errors.js'
import { pack, unpack } from '../../foundation/pack.js'
import { bucketOf } from './padding.js'

/** What the field `pad` costs beside its zeros: its name (4), and a bin 16 header (3). */
const PAD_FIELD_BYTES = 7

/** `pack(v)` with a field `pad` of zeros that fills the bucket: lengths tell no field apart (SPEC § 6.3). */
export function packPadded(value: Readonly<Record<string, unknown>>): Buffer {
  const bare = pack(value).length + PAD_FIELD_BYTES
  return pack({ ...value, pad: Buffer.alloc(bucketOf(bare) - bare) })
}

/** Untrusted msgpack into a typed value; unknown fields are dropped. @throws malformed */
export function unpackAs<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> {
  const parsed = v.safeParse(schema, unpack(bytes))
  if (!parsed.success) throw new SottoError('malformed', 'message fields')
  return parsed.output
}
