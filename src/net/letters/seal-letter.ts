import { concat, u8 } from '../../foundation/bytes.js'
import { NONCE_BYTES, seal } from '../../foundation/crypto.js'
import type { Rng } from '../../foundation/rng.js'
import type { ContactRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import { OAEP_SECRET_BYTES, sealOaep } from '../links/oaep.js'
import { pinnedPeer, type PinnedPeer } from '../links/peer.js'
import {
  dayOf,
  headOf,
  hintOf,
  LETTER_KEY_MS,
  LETTER_VERSION,
  letterKey,
  letterOaepLabel,
  letterTag,
  MAX_INDEXES,
  PREKEY_BYTES,
} from './letter-format.js'
import { encodeInner, type Message } from './plain.js'

/** The sender's side, one per contact and in memory only: pass in what came back last. */
export interface LetterKeys {
  /** Which pinned identity it was made for; another one needs new keys. */
  readonly peer: string
  readonly secret: Uint8Array
  readonly rsa: Uint8Array
  readonly nextIndex: number
  readonly drawnAt: number
}
export interface LetterOrder {
  readonly vault: Vault
  readonly row: ContactRow
  /** What the last call for this contact returned, or null. */
  readonly keys: LetterKeys | null
  readonly message: Message
  readonly now: number
  readonly rng: Rng
}

const ONCE = new Uint8Array(NONCE_BYTES)
const NO_PREKEY = new Uint8Array(PREKEY_BYTES)

/**
 * A letter for one contact (SPEC § 7.2). A resend is sealed anew and takes the next index.
 * @throws gate-denied when the row does not allow it; too-large when the body is
 */
export function sealLetter(order: LetterOrder): { letter: Buffer; keys: LetterKeys } {
  const { vault, row, message, now } = order
  const pairKey = vault.pairKey(row)
  const peer = pinnedPeer(row)
  const keys = usableKeys(order, peer)
  const place = { rsa: keys.rsa, index: keys.nextIndex, checkCode: message.checkCode }
  const key = letterKey({ sender: vault, receiver: peer }, vault.staticDh(row), keys.secret, place)
  const head = headOf(place.rsa, place.index, place.checkCode, NO_PREKEY)
  const sealed = seal(key, ONCE, head, encodeInner(message, vault.address))
  const tagged = concat(head.subarray(1), sealed)
  const hint = hintOf(pairKey, vault.address, peer.address, dayOf(now))
  const tag = letterTag(pairKey, vault.address, peer.address, tagged)
  return {
    letter: concat(u8(LETTER_VERSION), hint, tag, tagged),
    keys: { ...keys, nextIndex: keys.nextIndex + 1 },
  }
}

/** The keys at hand while they serve, else a fresh secret sealed to the contact's RSA key. */
function usableKeys({ vault, keys, now, rng }: LetterOrder, peer: PinnedPeer): LetterKeys {
  if (keys !== null && keys.peer === peer.digest && keys.nextIndex < MAX_INDEXES) {
    const age = now - keys.drawnAt
    if (age >= 0 && age < LETTER_KEY_MS) return keys
  }
  const secret = rng.bytes(OAEP_SECRET_BYTES)
  const rsa = sealOaep(peer.rsa, letterOaepLabel(vault.address, peer.address), secret)
  return { peer: peer.digest, secret, rsa, nextIndex: 0, drawnAt: now }
}
