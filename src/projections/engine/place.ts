import { damaged } from './damage.js'
import { PAGE_SLOTS, pageOf } from './heap-pages.js'
import type { Place } from './heap-pages.js'
import { PLACE_BYTES, ROW_HASH_BYTES } from './sealing.js'

const SLOT_AT = 4

/**
 * A place as it stands behind a row's key: `u32 page ‖ u16 slot`, masked with bytes of the hash that only this row's
 * name and the store's key give. Sealing would cost more than all else about a row, and add nothing: the page is sealed, and what
 * stands at the place tells its own name.
 */
export function maskedPlace(digest: string, place: Place): Buffer {
  const out = Buffer.allocUnsafe(PLACE_BYTES)
  out.writeUInt32BE(pageOf(place))
  out.writeUInt16BE(place % PAGE_SLOTS, SLOT_AT)
  return masked(digest, out)
}

/** @throws projections-damaged when it is none */
export function unmaskedPlace(digest: string, value: Buffer): Place {
  if (value.length !== PLACE_BYTES) throw damaged('a place is not one')
  const bytes = masked(digest, Buffer.from(value))
  const slot = bytes.readUInt16BE(SLOT_AT)
  if (slot >= PAGE_SLOTS) throw damaged('a place is not one')
  return bytes.readUInt32BE() * PAGE_SLOTS + slot
}

function masked(digest: string, bytes: Buffer): Buffer {
  for (let at = 0; at < PLACE_BYTES; at++)
    bytes[at] = (bytes[at] ?? 0) ^ digest.charCodeAt(ROW_HASH_BYTES + at)
  return bytes
}
