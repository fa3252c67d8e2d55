import { concat } from '../../foundation/bytes.js'
import { hash, kdf, KEY_BYTES, NONCE_BYTES, seal, unseal, type Label } from '../../foundation/crypto.js'

/** The key schedule of a first contact (SPEC § 6.3), without any state. */
const ONCE = new Uint8Array(NONCE_BYTES)

/** Hash so far, the secret keys come from, and a key for each direction; each key seals one part. */
export interface Chain {
  readonly h: Uint8Array
  readonly secret: Uint8Array
  readonly toResponder: Uint8Array
  readonly toInitiator: Uint8Array
}

export function startChain(proof: Uint8Array, introduction: Uint8Array, sessionKey: Uint8Array): Chain {
  const h = hash('sotto/intro/1', proof, introduction)
  return keyed(kdf(sessionKey, 'sotto/intro-k1/1', h), h)
}

/** Next secret: KDF(secret ‖ agreements, …, h), with a fresh pair of keys. */
export function advance(chain: Chain, stage: 2 | 3, ...agreements: readonly Uint8Array[]): Chain {
  const label: Label = `sotto/intro-k${stage}/1`
  return keyed(kdf(concat(chain.secret, ...agreements), label, chain.h), chain.h)
}

function keyed(secret: Buffer, h: Uint8Array): Chain {
  const both = kdf(secret, 'sotto/intro-keys/1', h, 2 * KEY_BYTES)
  return { h, secret, toResponder: both.subarray(0, KEY_BYTES), toInitiator: both.subarray(KEY_BYTES) }
}

type Direction = 'toResponder' | 'toInitiator'

/** A sealed part, and the chain with it mixed in. */
export function sealPart(chain: Chain, direction: Direction, plain: Uint8Array): [Chain, Buffer] {
  const part = seal(chain[direction], ONCE, chain.h, plain)
  return [mixed(chain, part), part]
}

export function openPart(chain: Chain, direction: Direction, part: Uint8Array): [Chain, Buffer] | null {
  const plain = unseal(chain[direction], ONCE, chain.h, part)
  return plain === null ? null : [mixed(chain, part), plain]
}

function mixed(chain: Chain, part: Uint8Array): Chain {
  return { ...chain, h: hash('sotto/mix/1', chain.h, part) }
}
