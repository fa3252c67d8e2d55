import type { ContactRow } from '../../projections/view.js'
import type { Vault } from '../gate/vault.js'
import type { Session } from '../links/session.js'

export interface CheckAnswer {
  readonly md5: Uint8Array
  readonly mac: Uint8Array
}
export declare function answerCheck(
  vault: Vault,
  row: ContactRow,
  session: Session,
  nonce: Uint8Array,
): CheckAnswer
export declare function verifyAnswer(
  vault: Vault,
  row: ContactRow,
  session: Session,
  nonce: Uint8Array,
  answer: CheckAnswer,
): boolean
