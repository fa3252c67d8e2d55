import { concat, u8, wipe } from '../../foundation/bytes.js'
import { hash, kdf, KEY_BYTES, x25519, x25519Public } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import { handshakeSecret, mix, outerKeys } from '../links/handshake-schedule.js'
import { sealOnce, unsealOnce } from '../links/handshake-state.js'
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  kemDecapsulate,
  kemEncapsulate,
  kemKeygen,
} from '../links/kem.js'

const VERSION = 1
const SUITE = 1

/** What both ends bring: the proof and the carrier's key of § 6.2, and what only devices of one identity have. */
export interface Ground {
  readonly proof: Uint8Array
  readonly sessionKey: Uint8Array
  /** `deviceSecrets(root).link`, 32 bytes. */
  readonly link: Uint8Array
}

/** One key for each direction; the first frame that opens proves that its sender has the root. */
export interface DeviceKeys {
  readonly send: Uint8Array
  readonly receive: Uint8Array
}

/** The caller between its two messages. */
export interface Calling {
  readonly ground: Ground
  readonly transcript: Uint8Array
  readonly ephemeralSecret: Uint8Array
  readonly kemSecret: Uint8Array
}

/** a: suite ‖ e_I ‖ ek_I. The state must be used once. */
export function call(ground: Ground, rng: Rng): [Calling, Buffer] {
  const ephemeralSecret = rng.bytes(KEY_BYTES)
  const kem = kemKeygen(rng)
  const start = startOf(ground)
  const key = outerKeys(ground.sessionKey).a
  const a = sealOnce(key, start, u8(SUITE), x25519Public(ephemeralSecret), kem.publicKey)
  return [{ ground, transcript: mix(start, a), ephemeralSecret, kemSecret: kem.secretKey }, a]
}

/** Takes a, makes b: e_R ‖ ct. @throws malformed for anything but the a of this proof */
export function answer(ground: Ground, a: Uint8Array, rng: Rng): [DeviceKeys, Buffer] {
  const start = startOf(ground)
  const plain = new Reader(opened(unsealOnce(outerKeys(ground.sessionKey).a, start, a)))
  if (plain.u8() !== SUITE) throw new SottoError('malformed', 'device suite')
  const theirs = plain.bytes(KEY_BYTES)
  const kemPublic = plain.bytes(KEM_PUBLIC_BYTES)
  plain.end()
  const ephemeralSecret = rng.bytes(KEY_BYTES)
  const dh = x25519(ephemeralSecret, theirs)
  const { cipherText, sharedSecret } = kemEncapsulate(kemPublic, rng)
  const before = mix(start, a)
  const b = sealOnce(outerKeys(ground.sessionKey).b, before, x25519Public(ephemeralSecret), cipherText)
  const keys = finalKeys(ground, dh, sharedSecret, mix(before, b))
  wipe(ephemeralSecret)
  return [{ send: keys.toInitiator, receive: keys.toResponder }, b]
}

/** Takes b. @throws malformed for anything but the answer to our a */
export function conclude(
  { ground, transcript, ephemeralSecret, kemSecret }: Calling,
  b: Uint8Array,
): DeviceKeys {
  const plain = new Reader(opened(unsealOnce(outerKeys(ground.sessionKey).b, transcript, b)))
  const dh = x25519(ephemeralSecret, plain.bytes(KEY_BYTES))
  const kem = kemDecapsulate(plain.bytes(KEM_CIPHERTEXT_BYTES), kemSecret)
  plain.end()
  const keys = finalKeys(ground, dh, kem, mix(transcript, b))
  wipe(ephemeralSecret, kemSecret)
  return { send: keys.toResponder, receive: keys.toInitiator }
}

function startOf({ proof }: Ground): Buffer {
  return hash('sotto/device-move/1', u8(VERSION), u8(SUITE), proof)
}

/** The ephemerals keep what was recorded secret, should the root become known; the root keeps everyone else out. */
function finalKeys({ sessionKey, link }: Ground, dh: Uint8Array, kem: Uint8Array, transcript: Uint8Array) {
  const hs = handshakeSecret(dh, kem, sessionKey, transcript)
  const both = kdf(concat(hs, link), 'sotto/device-final/1', transcript, 2 * KEY_BYTES)
  wipe(dh, kem, hs)
  return { toResponder: both.subarray(0, KEY_BYTES), toInitiator: both.subarray(KEY_BYTES) }
}

function opened(plain: Buffer | null): Buffer {
  if (plain === null) throw new SottoError('malformed', 'a device handshake')
  return plain
}
