import { x25519Public } from '../foundation/crypto.js'
import { issueCertificate } from '../keys/certificate.js'
import type { Identity } from '../keys/identity.js'

/** A certificate of the first epoch (SPEC § 2.4). A restore issues one anew: only its validity differs. */
export function certify(identity: Identity, now: number): Uint8Array {
  const { addressSeed, address, epoch, spki, dhSecret, recoveryCommitment } = identity
  const dh = x25519Public(dhSecret)
  return issueCertificate({ addressSeed, address, epoch, spki, dh, notBefore: now, recoveryCommitment })
}
