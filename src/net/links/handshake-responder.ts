import { wipe } from '../../foundation/bytes.js'
import { KEY_BYTES, sameSecret, x25519, x25519Public } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { pack } from '../../foundation/pack.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import { fieldsOf, readAnnouncement } from './announcement.js'
import {
  bindIdentities,
  handshakeSecret,
  linkMac,
  linkOaepLabel,
  messageKey,
  mix,
  outerKeys,
  splitFinal,
  SUITE,
} from './handshake-schedule.js'
import {
  fail,
  fieldsOfC,
  sealOnce,
  unsealOnce,
  type HandshakeInput,
  type HandshakeStep,
  type ResponderStage,
} from './handshake-state.js'
import { KEM_PUBLIC_BYTES, kemEncapsulate } from './kem.js'
import { OAEP_BYTES, OAEP_SECRET_BYTES, sealOaep } from './oaep.js'
import { unpackAs } from './packed.js'

type At<S extends ResponderStage['stage']> = Extract<ResponderStage, { stage: S }>

/** @throws malformed, gate-denied */
export function stepResponder(state: ResponderStage, input: HandshakeInput, rng: Rng): HandshakeStep {
  if (state.stage === 'awaiting-a' && input.kind === 'message') return onA(state, input.bytes, rng)
  if (state.stage === 'awaiting-c' && input.kind === 'message') return onC(state, input.bytes)
  if (state.stage === 'opening-c' && input.kind === 'oaep-opened') return onS1(state, input.secret, rng)
  if (state.stage === 'awaiting-e' && input.kind === 'message') return onE(state, input.bytes)
  return fail('responder', 'out-of-order')
}

/** a: suite ‖ e_I ‖ ek_I. Sends b: e_R ‖ ct. */
function onA(state: At<'awaiting-a'>, message: Uint8Array, rng: Rng): HandshakeStep {
  const { ground } = state
  const outer = outerKeys(ground.sessionKey)
  const plain = unsealOnce(outer.a, state.transcript, message)
  if (plain === null) return fail('responder', 'unopened')
  const reader = new Reader(plain)
  if (reader.u8() !== SUITE) throw new SottoError('malformed', 'suite')
  const ephemeralSecret = rng.bytes(KEY_BYTES)
  const dh = x25519(ephemeralSecret, reader.bytes(KEY_BYTES))
  const kem = kemEncapsulate(reader.bytes(KEM_PUBLIC_BYTES), rng)
  reader.end()

  const afterA = mix(state.transcript, message)
  const bytes = sealOnce(outer.b, afterA, x25519Public(ephemeralSecret), kem.cipherText)
  const transcript = mix(afterA, bytes)
  const hs = handshakeSecret(dh, kem.sharedSecret, ground.sessionKey, transcript)
  wipe(ephemeralSecret, dh, kem.sharedSecret)
  return [{ role: 'responder', stage: 'awaiting-c', ground, transcript, hs }, [{ kind: 'send', bytes }]]
}

/** c: OAEP_R(s1) ‖ fields. */
function onC(state: At<'awaiting-c'>, message: Uint8Array): HandshakeStep {
  const { ground, transcript, hs } = state
  const plain = unsealOnce(messageKey(hs, 'c', transcript), transcript, message)
  if (plain === null) return fail('responder', 'unopened')
  const reader = new Reader(plain)
  const ciphertext = reader.bytes(OAEP_BYTES)
  const announced = readAnnouncement(unpackAs(fieldsOfC, reader.rest()), ground.peer.address)
  if (announced === null) return fail('responder', 'device')
  const label = linkOaepLabel('responder', transcript)
  return [
    { role: 'responder', stage: 'opening-c', ground, transcript: mix(transcript, message), hs, announced },
    [{ kind: 'open-oaep', ciphertext, label }],
  ]
}

/** Sends d: OAEP_I(s2) ‖ MAC_R ‖ fields. */
function onS1(state: At<'opening-c'>, secret: Uint8Array | null, rng: Rng): HandshakeStep {
  const { ground, transcript, hs, announced } = state
  const s1 = secret?.length === OAEP_SECRET_BYTES ? secret : rng.bytes(OAEP_SECRET_BYTES)
  const s2 = rng.bytes(OAEP_SECRET_BYTES)
  const rsa = sealOaep(ground.peer.rsa, linkOaepLabel('initiator', transcript), s2)
  const fields = pack({ epoch: ground.parties.responder.epoch, ...fieldsOf(ground.own) })
  const bound = bindIdentities(transcript, ground.parties, rsa, fields)
  const keys = splitFinal(ground.vault.linkKeys(ground.row, hs, s1, s2, bound))
  const ourMac = linkMac(keys, 'responder', bound)
  const bytes = sealOnce(messageKey(hs, 'd', transcript), transcript, rsa, ourMac, fields)
  wipe(s1, s2)
  return [
    { role: 'responder', stage: 'awaiting-e', ground, transcript: mix(bound, bytes), hs, keys, announced },
    [{ kind: 'send', bytes }],
  ]
}

/** e: MAC_I. Established. */
function onE(state: At<'awaiting-e'>, message: Uint8Array): HandshakeStep {
  const { transcript, hs, keys } = state
  const theirMac = unsealOnce(messageKey(hs, 'e', transcript), transcript, message)
  if (theirMac === null) return fail('responder', 'unopened')
  if (!sameSecret(linkMac(keys, 'initiator', transcript), theirMac)) return fail('responder', 'not-the-peer')
  wipe(hs, keys.mac.initiator, keys.mac.responder)
  const session = {
    sendKey: keys.toInitiator,
    receiveKey: keys.toResponder,
    sent: 0,
    received: 0,
    transcript: mix(transcript, message),
  }
  return [
    { role: 'responder', stage: 'established' },
    [{ kind: 'established', session, peer: state.announced }],
  ]
}
