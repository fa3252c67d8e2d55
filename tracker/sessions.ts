import { concat, u16, u8 } from '../src/foundation/bytes.js'
import { KEY_BYTES, mac } from '../src/foundation/crypto.js'
import type { Rng } from '../src/foundation/rng.js'
import { SESSION_BYTES } from '../src/net/tracker/datagram.js'
import { addressBytes } from '../src/net/tracker/endpoint.js'

/** Where a datagram came from, as the socket tells it. */
export interface Peer {
  readonly address: string
  readonly port: number
}

interface Epoch {
  readonly number: number
  readonly secret: Uint8Array
}

/** The secrets of the current and the last ten minutes: all a tracker remembers of its sessions. In RAM only. */
export interface Epochs {
  readonly current: Epoch
  readonly last: Epoch | null
}

export const EPOCH_MS = 600_000
const EPOCH_MASK = 0xff

/** The epochs served at `now`; new secrets are drawn when the ten minutes are over. */
export function epochsAt(epochs: Epochs | null, now: number, rng: Rng): Epochs {
  const number = Math.floor(now / EPOCH_MS)
  if (epochs?.current.number === number) return epochs
  const last = epochs?.current.number === number - 1 ? epochs.current : null
  return { current: { number, secret: rng.bytes(KEY_BYTES) }, last }
}

/** A new session for whoever can receive at `peer`, served until the next epoch ends. */
export function openSession(epochs: Epochs, peer: Peer, now: number, rng: Rng) {
  const { current } = epochs
  const session = concat(u8(current.number & EPOCH_MASK), rng.bytes(SESSION_BYTES - 1))
  const end = (current.number + 2) * EPOCH_MS
  return { session, sessionKey: derive(current, session, peer), seconds: Math.floor((end - now) / 1000) }
}

/** The key a session has if it was opened from this very address and port; null when its epoch is not served. */
export function sessionKeyOf(epochs: Epochs, session: Uint8Array, peer: Peer): Uint8Array | null {
  const served = [epochs.current, ...(epochs.last === null ? [] : [epochs.last])]
  const epoch = served.find(({ number }) => (number & EPOCH_MASK) === session[0])
  return epoch === undefined ? null : derive(epoch, session, peer)
}

function derive({ secret }: Epoch, session: Uint8Array, { address, port }: Peer): Uint8Array {
  return mac(secret, 'sotto/tracker-session/1', session, addressBytes(address), u16(port))
}
