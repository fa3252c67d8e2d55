import type { Rng } from '../../foundation/rng.js'
import type { Proven } from '../effects.js'
import type { ReplayCache } from './replay-cache.js'

export interface Place {
  readonly path: string
  readonly host: string
}
export interface ContactProof {
  readonly proof: Buffer
  readonly sessionKey: Buffer
}
export interface IntroProof extends ContactProof {
  readonly ephemeralSecret: Buffer
  readonly ephemeral: Buffer
}
export interface ContactToken {
  readonly who: string
  readonly token: Uint8Array
}
export interface IntroductionPair {
  readonly secret: Uint8Array
  readonly public: Uint8Array
}
export declare function makeContactProof(
  params: Place & { readonly token: Uint8Array; readonly now: number; readonly rng: Rng },
): ContactProof
export declare function makeIntroProof(
  params: Place & { readonly introduction: Uint8Array; readonly now: number; readonly rng: Rng },
): IntroProof
export declare function verifyProof(
  params: Place & {
    readonly proof: Uint8Array
    readonly method: string
    readonly now: number
    readonly startedAt: number
    readonly contacts: Iterable<ContactToken>
    readonly introductions: Iterable<IntroductionPair>
    readonly replays: ReplayCache
  },
): Proven | null
/** The cookie `sid`: base64url without padding, 96 characters. Null for anything that is not exactly a proof's length. */
export declare function cookieOfProof(proof: Uint8Array): string
export declare function proofOfCookie(value: string): Buffer | null
