import { concat, lp, u32, wipe } from '../foundation/bytes.js'
import { hash, KEY_BYTES, kdf } from '../foundation/crypto.js'
import type { Rng } from '../foundation/rng.js'
import { ED25519_SEED_BYTES, ed25519Public } from './ed25519.js'
import { rsaRootOf, spkiOf, type RsaSecret } from './rsa-key.js'
import { idOf, type UserId } from './user-id.js'

const FIRST_EPOCH = 0

/** All secrets of a person in one epoch (SPEC § 2.1). Kept only while a profile is open; `wipeIdentity` ends it. */
export interface Identity {
  /** 32 random bytes: what the address key, the log and the projections are derived from. */
  readonly root: Uint8Array
  readonly epoch: number
  readonly rsa: RsaSecret
  /** SubjectPublicKeyInfo DER of `rsa`. */
  readonly spki: Uint8Array
  /** Ed25519: seed and public key, 32 bytes each. */
  readonly addressSeed: Uint8Array
  readonly address: Uint8Array
  readonly id: UserId
  /** X25519 secret of the epoch, 32 bytes. */
  readonly dhSecret: Uint8Array
  /** Ed25519 seed of the recovery key, 32 bytes; null once it is only in a backup. */
  readonly recoverySeed: Uint8Array | null
  /** H('sotto/recovery/1', recovery public key), the same in every epoch. */
  readonly recoveryCommitment: Uint8Array
}

/** A new person around an RSA key: root and recovery key are drawn. Takes `rsa` over. */
export function createIdentity(rsa: RsaSecret, rng: Rng): Identity {
  const root = rng.bytes(KEY_BYTES)
  const recoverySeed = rng.bytes(ED25519_SEED_BYTES)
  return assembleIdentity({
    root,
    rsa,
    epoch: FIRST_EPOCH,
    recoverySeed,
    recoveryCommitment: recoveryCommitmentOf(recoverySeed),
  })
}

export type IdentityCore = Pick<Identity, 'root' | 'rsa' | 'epoch' | 'recoverySeed' | 'recoveryCommitment'>

/** Derives what is derived (SPEC § 2.1). */
export function assembleIdentity(core: IdentityCore): Identity {
  const addressSeed = kdf(core.root, 'sotto/address/1')
  const address = ed25519Public(addressSeed)
  const dhSecret = kdf(concat(core.root, lp(rsaRootOf(core.rsa))), 'sotto/dh/1', u32(core.epoch))
  return { ...core, spki: spkiOf(core.rsa), addressSeed, address, id: idOf(address), dhSecret }
}

export function recoveryCommitmentOf(recoverySeed: Uint8Array): Buffer {
  return hash('sotto/recovery/1', ed25519Public(recoverySeed))
}

/** Overwrites every secret of it. What KeyObjects and strings hold is out of reach. */
export function wipeIdentity(identity: Identity): void {
  const { rsa } = identity
  wipe(identity.root, identity.addressSeed, identity.dhSecret, rsa.p, rsa.q)
  if (rsa.form === 'seed') wipe(rsa.seed)
  if (identity.recoverySeed !== null) wipe(identity.recoverySeed)
}
