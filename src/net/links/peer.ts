import type { KeyObject } from 'node:crypto'
import { lp, toHex, utf8 } from '../../foundation/bytes.js'
import { sha256 } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import type { ContactRow } from '../../projections/view.js'
import { verifyCertificate } from '../../keys/certificate.js'
import { parsePeerSpki } from '../../keys/spki.js'
import { addressOf } from '../../keys/user-id.js'
import type { End } from './pair.js'

/** The identity pinned in a contact's row, its signatures verified. */
export interface PinnedPeer extends End {
  /** SHA-256 over ID, certificate and SPKI, hex: changes when anything pinned changes. */
  readonly digest: string
  /** SHA-256(spki), 32 bytes. */
  readonly fingerprint: Uint8Array
  /** X25519 public key of the epoch, 32 bytes. */
  readonly dh: Uint8Array
  readonly spki: Uint8Array
  readonly rsa: KeyObject
}

const MAX_REMEMBERED = 512
const remembered = new Map<string, PinnedPeer>()

/**
 * Verified once per pinned certificate and remembered: parsing an 8192-bit key for each letter would dominate.
 * @throws gate-denied when nothing is pinned; untrusted-key or bad-key when what is pinned does not belong to the ID
 */
export function pinnedPeer(row: ContactRow): PinnedPeer {
  if (row.certificate === null || row.spki === null)
    throw new SottoError('gate-denied', 'no certificate is pinned')
  const digest = toHex(sha256(utf8(row.id), lp(row.certificate), lp(row.spki)))
  const known = remembered.get(digest)
  if (known !== undefined) return known
  const peer = verifyPinned(row.id, row.certificate, row.spki, digest)
  for (const oldest of remembered.keys()) {
    if (remembered.size < MAX_REMEMBERED) break
    remembered.delete(oldest)
  }
  remembered.set(digest, peer)
  return peer
}

function verifyPinned(id: string, certificate: Uint8Array, spki: Uint8Array, digest: string): PinnedPeer {
  const address = addressOf(id)
  const { epoch, fingerprint, dh } = verifyCertificate(certificate, spki, { address })
  return { digest, address, epoch, fingerprint, dh, spki, rsa: parsePeerSpki(spki).key }
}
