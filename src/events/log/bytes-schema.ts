import * as v from 'valibot'

/** Exactly `length` bytes. */
export function bytesOf(length: number) {
  return v.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length)
}
