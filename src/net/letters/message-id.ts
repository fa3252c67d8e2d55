import { toHex, u64 } from '../../foundation/bytes.js'
import { hash } from '../../foundation/crypto.js'
import type { MessageId } from '../../events/vocabulary/facts.js'

const MESSAGE_ID_BYTES = 16

/** H('sotto/message-id/1', sender ‖ check code ‖ u64 time stamp)[:16] as 32 hex characters (SPEC § 7.2). */
export function messageIdOf(sender: Uint8Array, checkCode: Uint8Array, sentAt: number): MessageId {
  return toHex(hash('sotto/message-id/1', sender, checkCode, u64(sentAt)).subarray(0, MESSAGE_ID_BYTES))
}
