import { concat, wipe } from '../../foundation/bytes.js'
import { kdf, x25519 } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { verifyCertificate } from '../../keys/certificate.js'
import type { Identity } from '../../keys/identity.js'
import { privateKey } from '../../keys/rsa-secret.js'
import type { ContactRow, ContactState } from '../../projections/view.js'
import { FINAL_BYTES } from '../links/handshake-schedule.js'
import { pinnedPeer, type PinnedPeer } from '../links/peer.js'
import { OaepQueue } from './oaep-queue.js'
import { PairKeys } from './pair-keys.js'
import type { Vault } from './vault.js'

/**
 * Who may share keys with us: friends, and those we asked ourselves, because the one who accepts links in to bring the
 * acceptance. Whoever asked us and waits, or is blocked, gets none.
 */
const MAY_TALK: Readonly<Record<ContactState, boolean>> = {
  friend: true,
  requested: true,
  incoming: false,
  blocked: false,
}

/**
 * Takes the private keys in while the profile is open. The identity stays the caller's to wipe.
 * @throws untrusted-key when the certificate is not this identity's
 */
export function openVault(identity: Identity, certificate: Uint8Array): Vault {
  verifyCertificate(certificate, identity.spki, { address: identity.address })
  return new OpenVault(identity, certificate)
}

class OpenVault implements Vault {
  readonly id
  readonly address
  readonly spki
  readonly epoch
  readonly certificate
  readonly #dhSecret: Uint8Array
  readonly #addressSeed: Uint8Array
  readonly #pairs: PairKeys
  readonly #oaep: OaepQueue
  #open = true

  constructor(identity: Identity, certificate: Uint8Array) {
    this.id = identity.id
    this.address = Buffer.from(identity.address)
    this.spki = Buffer.from(identity.spki)
    this.epoch = identity.epoch
    this.certificate = Buffer.from(certificate)
    this.#dhSecret = Buffer.from(identity.dhSecret)
    this.#addressSeed = Buffer.from(identity.addressSeed)
    this.#pairs = new PairKeys(this, this.#dhSecret)
    this.#oaep = new OaepQueue(privateKey(identity.rsa).export({ format: 'der', type: 'pkcs8' }))
  }

  pairKey(row: ContactRow): Uint8Array {
    return Buffer.from(this.#pairs.of(this.#allowed(row)).pairKey)
  }

  staticDh(row: ContactRow): Uint8Array {
    return Buffer.from(this.#pairs.of(this.#allowed(row)).staticDh)
  }

  dh(peer: Uint8Array): Uint8Array {
    this.#requireOpen()
    return x25519(this.#dhSecret, peer)
  }

  linkKeys(
    row: ContactRow,
    hs: Uint8Array,
    s1: Uint8Array,
    s2: Uint8Array,
    transcript: Uint8Array,
  ): Uint8Array {
    this.#allowed(row)
    return kdf(concat(hs, s1, s2), 'sotto/link-final/1', transcript, FINAL_BYTES)
  }

  openOaep(ciphertext: Uint8Array, label: Uint8Array): Promise<Uint8Array | null> {
    return this.#oaep.open(ciphertext, label)
  }

  addressSeed(): Uint8Array {
    this.#requireOpen()
    return Buffer.from(this.#addressSeed)
  }

  close(): void {
    this.#open = false
    this.#oaep.close()
    this.#pairs.clear()
    wipe(this.#dhSecret, this.#addressSeed)
  }

  /** The policy: no row that allows it, no key. */
  #allowed(row: ContactRow): PinnedPeer {
    this.#requireOpen()
    if (!MAY_TALK[row.state]) throw new SottoError('gate-denied', `contact is ${row.state}`)
    return pinnedPeer(row)
  }

  #requireOpen(): void {
    if (!this.#open) throw new SottoError('gate-denied', 'the vault is closed')
  }
}
