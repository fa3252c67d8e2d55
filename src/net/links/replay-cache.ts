/** Nonces seen within the window, bounded per sender of proofs; full means refused, never forgotten early. */
export declare class ReplayCache {
  /** True when the nonce is new and was remembered until `expires`. */
  admit(bucket: string, nonce: Uint8Array, expires: number, now: number): boolean
}
