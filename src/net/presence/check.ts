import { mac, md5, sameSecret } from '../../foundation/crypto.js'
import type { ContactRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import { directionOf } from '../links/pair.js'
import { pinnedPeer } from '../links/peer.js'
import type { Session } from '../links/session.js'

export interface CheckAnswer {
  /** MD5(nonce ‖ SPKI of the answerer), 16 bytes: as the user asked; anyone could compute it. */
  readonly md5: Uint8Array
  /** MAC under the pair key, 32 bytes: this only the owner can make. */
  readonly mac: Uint8Array
}

/** Answers a status check (SPEC § 6.5, type 4). @throws gate-denied */
export function answerCheck(vault: Vault, row: ContactRow, session: Session, nonce: Uint8Array): CheckAnswer {
  const peer = pinnedPeer(row)
  const direction = directionOf(vault.address, peer.address)
  return expected(vault.pairKey(row), vault.spki, direction, session, nonce)
}

/** True when the contact itself answered this very nonce on this very link. @throws gate-denied */
export function verifyAnswer(
  vault: Vault,
  row: ContactRow,
  session: Session,
  nonce: Uint8Array,
  answer: CheckAnswer,
): boolean {
  const peer = pinnedPeer(row)
  const direction = directionOf(peer.address, vault.address)
  const right = expected(vault.pairKey(row), peer.spki, direction, session, nonce)
  const asAsked = sameSecret(right.md5, answer.md5)
  return sameSecret(right.mac, answer.mac) && asAsked
}

function expected(
  pairKey: Uint8Array,
  spki: Uint8Array,
  direction: Uint8Array,
  session: Session,
  nonce: Uint8Array,
): CheckAnswer {
  return {
    md5: md5(nonce, spki),
    mac: mac(pairKey, 'sotto/check/1', direction, nonce, session.transcript),
  }
}
