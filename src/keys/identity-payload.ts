import { concat, u32, u8 } from '../foundation/bytes.js'
import { HASH_BYTES, KEY_BYTES, sameSecret, sha256 } from '../foundation/crypto.js'
import { SottoError } from '../foundation/errors.js'
import { Reader } from '../foundation/reader.js'
import { ED25519_SEED_BYTES } from './ed25519.js'
import {
  assembleIdentity,
  recoveryCommitmentOf,
  type Identity,
  type IdentityCore,
} from './identity-secrets.js'
import { PRIME_BYTES, SEED_BYTES, type RsaSecret } from './rsa-key.js'
import { restoreRsa } from './rsa-restore.js'

const FORM_SEED = 0
const FORM_PRIMES = 1
const SPKI_PREFIX_BYTES = 8
const INDEX_BYTES = 3

/**
 * What a sealed container holds (SPEC § 3): 116 bytes for a generated key, 1102 for an imported one.
 * @param withRecovery whether the recovery seed goes in; without it, or when it is gone, its commitment does
 */
export function payloadOf(identity: Identity, withRecovery: boolean): Buffer {
  const { root, rsa, epoch, spki, recoverySeed, recoveryCommitment } = identity
  return concat(
    root,
    u8(rsa.form === 'seed' ? FORM_SEED : FORM_PRIMES),
    u32(epoch),
    sha256(spki).subarray(0, SPKI_PREFIX_BYTES),
    ...(rsa.form === 'seed' ? [rsa.seed, u24(rsa.indexP), u24(rsa.indexQ)] : [rsa.p, rsa.q]),
    ...(withRecovery && recoverySeed !== null ? [u8(1), recoverySeed] : [u8(0), recoveryCommitment]),
  )
}

/**
 * The identity again. The primes are drawn, not tested: the key must be the one whose hash was kept.
 * @throws wrong-passphrase for anything amiss, as every step behind the passphrase does (SPEC § 3)
 */
export function identityFromPayload(bytes: Uint8Array): Identity {
  try {
    const { core, spkiPrefix } = readPayload(bytes)
    const identity = assembleIdentity(core)
    if (!sameSecret(spkiPrefix, sha256(identity.spki).subarray(0, SPKI_PREFIX_BYTES))) {
      throw new SottoError('wrong-identity')
    }
    return identity
  } catch (cause) {
    throw new SottoError('wrong-passphrase', undefined, { cause })
  }
}

function readPayload(bytes: Uint8Array): { core: IdentityCore; spkiPrefix: Uint8Array } {
  // A copy: what is read stays the caller's to wipe.
  const reader = new Reader(Uint8Array.from(bytes))
  const root = reader.bytes(KEY_BYTES)
  const form = reader.u8()
  const epoch = reader.u32()
  const spkiPrefix = reader.bytes(SPKI_PREFIX_BYTES)
  const rsa = readRsa(reader, form)
  const recovery = readRecovery(reader)
  reader.end()
  return { core: { root, rsa, epoch, ...recovery }, spkiPrefix }
}

function readRsa(reader: Reader, form: number): RsaSecret {
  if (form === FORM_SEED) return restoreRsa(reader.bytes(SEED_BYTES), reader.u24(), reader.u24())
  if (form !== FORM_PRIMES) throw new SottoError('malformed', 'form of the key')
  return { form: 'primes', p: reader.bytes(PRIME_BYTES), q: reader.bytes(PRIME_BYTES) }
}

function readRecovery(reader: Reader): Pick<Identity, 'recoverySeed' | 'recoveryCommitment'> {
  const present = reader.u8()
  if (present > 1) throw new SottoError('malformed', 'recovery flag')
  if (present === 0) return { recoverySeed: null, recoveryCommitment: reader.bytes(HASH_BYTES) }
  const recoverySeed = reader.bytes(ED25519_SEED_BYTES)
  return { recoverySeed, recoveryCommitment: recoveryCommitmentOf(recoverySeed) }
}

function u24(value: number): Uint8Array {
  const out = Buffer.alloc(INDEX_BYTES)
  out.writeUIntBE(value, 0, INDEX_BYTES)
  return out
}
