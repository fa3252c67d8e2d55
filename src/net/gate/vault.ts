import type { UserId } from '../../events/vocabulary/facts.js'
import type { ContactRow } from '../../projections/view.js'

/**
 * The private keys while the profile is open. Only the gate makes one (`openVault`), and it derives a key for a peer
 * only from that peer's policy row: no row, no key, no bytes.
 */
export interface Vault {
  readonly id: UserId
  /** Ed25519 public half, 32 bytes. */
  readonly address: Uint8Array
  readonly certificate: Uint8Array
  readonly spki: Uint8Array
  readonly epoch: number

  /**
   * Pair key of SPEC § 7.1, 32 bytes, from the pinned certificate in the row.
   * @throws gate-denied when the row's state does not allow talk or nothing is pinned
   */
  pairKey(row: ContactRow): Uint8Array
  /** X25519 of our `dh` key with an ephemeral or introduction key of a first contact, 32 bytes. */
  dh(peer: Uint8Array): Uint8Array
  /**
   * X25519 of our `dh` with the `dh` in the row's pinned certificate, 32 bytes (letters).
   * @throws gate-denied as pairKey
   */
  staticDh(row: ContactRow): Uint8Array
  /**
   * The end of the handshake: KDF(hs ‖ s1 ‖ s2, 'sotto/link-final/1', transcript, 128) of SPEC § 6.4.
   * @throws gate-denied as pairKey
   */
  linkKeys(
    row: ContactRow,
    hs: Uint8Array,
    s1: Uint8Array,
    s2: Uint8Array,
    transcript: Uint8Array,
  ): Uint8Array
  /** RSA-OAEP (SHA-256, MGF1-SHA-256) with our private key, off the main thread; null when it does not open. */
  openOaep(ciphertext: Uint8Array, label: Uint8Array): Promise<Uint8Array | null>
  /** Ed25519 seed of the address key, for blinded tracker records only. 32 bytes. */
  addressSeed(): Uint8Array
  /** Forgets every key; later calls throw gate-denied. */
  close(): void
}
