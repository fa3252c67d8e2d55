import { Packr, Unpackr } from 'msgpackr'
import { SottoError } from './errors.js'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })

/** msgpack without shared structures: bytes that explain themselves (SPEC § 0). */
export function pack(value: unknown): Buffer {
  return packr.pack(value)
}

/** @throws malformed for anything that is not exactly one msgpack value; validate its shape before use */
export function unpack(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes)
  } catch (cause) {
    throw new SottoError('malformed', 'msgpack', { cause })
  }
}
