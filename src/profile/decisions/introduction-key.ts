import type { Fact } from '../../events/vocabulary/facts.js'
import { x25519Public } from '../../foundation/crypto.js'
import type { Rng } from '../../foundation/rng.js'
import { fact } from './context.js'

const SECRET_BYTES = 32
const UNIX_YEAR = 1970
const MONTHS_A_YEAR = 12

/** The first introduction key of an identity (SPEC § 6.2); the network draws the next ones, one a month. */
export function introductionKey(now: number, rng: Rng): Fact {
  const secret = rng.bytes(SECRET_BYTES)
  const date = new Date(now)
  const month = (date.getUTCFullYear() - UNIX_YEAR) * MONTHS_A_YEAR + date.getUTCMonth()
  return fact('IntroductionKeyDrawn', { month, secret, public: x25519Public(secret) })
}
