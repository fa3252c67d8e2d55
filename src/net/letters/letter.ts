import type { LetterBody, MessageId } from '../../events/vocabulary/facts.js'
import type { Rng } from '../../foundation/rng.js'
import type { ContactRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'

export type Message = LetterBody & { readonly checkCode: Uint8Array; readonly sentAt: number }
export type OpenedMessage = Message & { readonly messageId: MessageId }
/** Sender side, in memory only, one per contact: pass in what came back last. */
export interface LetterKeys {
  readonly peer: string
  readonly secret: Uint8Array
  readonly rsa: Uint8Array
  readonly nextIndex: number
  readonly drawnAt: number
}
export declare function sealLetter(params: {
  readonly vault: Vault
  readonly row: ContactRow
  readonly keys: LetterKeys | null
  readonly message: Message
  readonly now: number
  readonly rng: Rng
}): { letter: Buffer; keys: LetterKeys }

/** Receiver side: RSA secrets opened lately, one cache per node. Bounded, mutable. */
export declare class LetterCache {
  constructor(capacity?: number)
}
/** Opaque: hand it to finishLetter. */
export interface PendingLetter {
  readonly kind: 'pending'
}
export type LetterRefusal =
  /** Not a letter, or not one of this pair: nothing is answered. */
  | 'not-a-letter'
  | 'not-the-pair'
  | 'denied'
  | 'too-old'
  /** A kind of a newer version: ignore. */
  | 'unknown-kind'
export type LetterOutcome =
  | { readonly kind: 'opened'; readonly message: OpenedMessage }
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
export declare function examineLetter(params: {
  readonly vault: Vault
  readonly row: ContactRow
  readonly letter: Uint8Array
  readonly now: number
  readonly cache: LetterCache
}): Examined
export declare function finishLetter(pending: PendingLetter, secret: Uint8Array | null): LetterOutcome
/** 32 hex characters (SPEC § 7.2). */
export declare function messageIdOf(sender: Uint8Array, checkCode: Uint8Array, sentAt: number): MessageId
