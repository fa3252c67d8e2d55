import { NONCE_BYTES, sameSecret, unseal } from '../../foundation/crypto.js'
import { isSottoError } from '../../foundation/errors.js'
import type { MessageId } from '../../events/vocabulary/facts.js'
import type { ContactRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import { OAEP_SECRET_BYTES } from '../links/oaep.js'
import { pinnedPeer } from '../links/peer.js'
import type { LetterCache } from './letter-cache.js'
import {
  dayOf,
  hintOf,
  letterKey,
  letterOaepLabel,
  letterTag,
  parseLetter,
  type Correspondents,
  type SealedLetter,
} from './letter-format.js'
import { messageIdOf } from './message-id.js'
import { decodeInner, type Message, type Plain } from './plain.js'

/** Older letters are refused: the memory against duplicates does not reach back further. */
export const LETTER_LIFE_MS = 60 * 86_400_000

export type OpenedMessage = Message & { readonly messageId: MessageId }

export type LetterRefusal =
  /** Not a letter at all. */
  | 'not-a-letter'
  /** Not from this contact to us, or not of these days; nothing was tried with the private key. */
  | 'not-the-pair'
  /** The row does not allow it. */
  | 'denied'
  | 'too-old'
  /** A kind of a newer version: ignored. */
  | 'unknown-kind'
export type LetterOutcome =
  | { readonly kind: 'opened'; readonly message: OpenedMessage }
  /** An opening failure and a true mismatch alike. */
  | { readonly kind: 'md5-incorrect' }
  | { readonly kind: 'refused'; readonly reason: LetterRefusal }
export type Examined =
  /** The RSA secret was known already. */
  | { readonly kind: 'ready'; readonly outcome: LetterOutcome }
  | {
      readonly kind: 'needs-oaep'
      readonly ciphertext: Uint8Array
      readonly label: Uint8Array
      readonly pending: PendingLetter
    }
  | { readonly kind: 'refused'; readonly reason: LetterRefusal }

export interface LetterArrival {
  readonly vault: Vault
  readonly row: ContactRow
  readonly letter: Uint8Array
  readonly now: number
  readonly cache: LetterCache
}

/** A letter between examination and the answer of the private key; opaque to others. */
export interface PendingLetter {
  readonly ends: Correspondents
  readonly staticDh: Uint8Array
  readonly letter: SealedLetter
  readonly now: number
  readonly cache: LetterCache
}

const MD5_INCORRECT = { kind: 'md5-incorrect' } as const
const ONCE = new Uint8Array(NONCE_BYTES)

/** First step: form, hint and tag. Only a letter of the pair reaches the private key. */
export function examineLetter(arrival: LetterArrival): Examined {
  try {
    return examine(arrival)
  } catch (error) {
    if (isSottoError(error, 'malformed')) return { kind: 'refused', reason: 'not-a-letter' }
    if (isSottoError(error)) return { kind: 'refused', reason: 'denied' }
    throw error
  }
}

function examine({ vault, row, letter, now, cache }: LetterArrival): Examined {
  const parsed = parseLetter(letter)
  const pairKey = vault.pairKey(row)
  const sender = pinnedPeer(row)
  if (!isOfPair(parsed, pairKey, sender.address, vault.address, now)) {
    return { kind: 'refused', reason: 'not-the-pair' }
  }
  const ends = { sender, receiver: vault }
  const pending = { ends, staticDh: vault.staticDh(row), letter: parsed, now, cache }
  const known = cache.find(sender.address, parsed.rsa, now)
  if (known !== null) return { kind: 'ready', outcome: finishLetter(pending, known) }
  const label = letterOaepLabel(sender.address, vault.address)
  return { kind: 'needs-oaep', ciphertext: parsed.rsa, label, pending }
}

function isOfPair(
  letter: SealedLetter,
  pairKey: Uint8Array,
  from: Uint8Array,
  to: Uint8Array,
  now: number,
): boolean {
  const today = dayOf(now)
  const hinted = [today - 1, today, today + 1].filter(
    (day) => day >= 0 && sameSecret(hintOf(pairKey, from, to, day), letter.hint),
  )
  return hinted.length > 0 && sameSecret(letterTag(pairKey, from, to, letter.tagged), letter.tag)
}

/**
 * Second step. A null secret (OAEP did not open) goes through the same work with a secret that fits nothing, so that
 * neither answer nor time tells which step failed.
 */
export function finishLetter(pending: PendingLetter, secret: Uint8Array | null): LetterOutcome {
  const { ends, staticDh, letter, now, cache } = pending
  const usable = secret?.length === OAEP_SECRET_BYTES
  const key = letterKey(ends, staticDh, usable ? secret : new Uint8Array(OAEP_SECRET_BYTES), letter)
  const inner = unseal(key, ONCE, letter.head, letter.sealed)
  if (!usable || inner === null) return MD5_INCORRECT
  cache.keep(ends.sender.address, letter.rsa, secret, now)
  return judge(pending, inner)
}

function judge(pending: PendingLetter, inner: Buffer): LetterOutcome {
  try {
    const plain = decodeInner(inner)
    return plain === null || !isConsistent(plain, pending) ? MD5_INCORRECT : admit(plain, pending.now)
  } catch (error) {
    if (isSottoError(error, 'malformed')) return MD5_INCORRECT
    throw error
  }
}

/** The inside says the same as the outside about check code and sender. */
function isConsistent(plain: Plain, { letter, ends }: PendingLetter): boolean {
  return sameSecret(plain.checkCode, letter.checkCode) && sameSecret(plain.sender, ends.sender.address)
}

function admit({ sentAt, checkCode, sender, letter }: Plain, now: number): LetterOutcome {
  if (letter === null) return { kind: 'refused', reason: 'unknown-kind' }
  if (now - sentAt > LETTER_LIFE_MS) return { kind: 'refused', reason: 'too-old' }
  const messageId = messageIdOf(sender, checkCode, sentAt)
  return { kind: 'opened', message: { ...letter, sentAt, checkCode: Buffer.from(checkCode), messageId } }
}
