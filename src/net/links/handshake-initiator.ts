import { u8, wipe } from '../../foundation/bytes.js'
import { KEY_BYTES, sameSecret, x25519, x25519Public } from '../../foundation/crypto.js'
import { pack } from '../../foundation/pack.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import { fieldsOf, readAnnouncement } from './announcement.js'
import {
  bindIdentities,
  handshakeSecret,
  linkMac,
  linkOaepLabel,
  MAC_BYTES,
  messageKey,
  mix,
  outerKeys,
  splitFinal,
  SUITE,
} from './handshake-schedule.js'
import {
  fail,
  fieldsOfD,
  sealOnce,
  unsealOnce,
  type Ground,
  type HandshakeInput,
  type HandshakeStep,
  type InitiatorStage,
} from './handshake-state.js'
import { KEM_CIPHERTEXT_BYTES, kemDecapsulate, kemKeygen } from './kem.js'
import { OAEP_BYTES, OAEP_SECRET_BYTES, sealOaep } from './oaep.js'
import { unpackAs } from './packed.js'

type At<S extends InitiatorStage['stage']> = Extract<InitiatorStage, { stage: S }>

/** Sends a: suite ‖ e_I ‖ ek_I. */
export function beginInitiator(ground: Ground, start: Uint8Array, rng: Rng): HandshakeStep {
  const ephemeralSecret = rng.bytes(KEY_BYTES)
  const kem = kemKeygen(rng)
  const key = outerKeys(ground.sessionKey).a
  const bytes = sealOnce(key, start, u8(SUITE), x25519Public(ephemeralSecret), kem.publicKey)
  const state = { role: 'initiator', stage: 'awaiting-b', ground, transcript: mix(start, bytes) } as const
  return [{ ...state, ephemeralSecret, kemSecret: kem.secretKey }, [{ kind: 'send', bytes }]]
}

/** @throws malformed, gate-denied */
export function stepInitiator(state: InitiatorStage, input: HandshakeInput, rng: Rng): HandshakeStep {
  if (state.stage === 'awaiting-b' && input.kind === 'message') return onB(state, input.bytes, rng)
  if (state.stage === 'awaiting-d' && input.kind === 'message') return onD(state, input.bytes)
  if (state.stage === 'opening-d' && input.kind === 'oaep-opened') return onS2(state, input.secret, rng)
  return fail('initiator', 'out-of-order')
}

/** b: e_R ‖ ct. Sends c: OAEP_R(s1) ‖ fields. */
function onB(state: At<'awaiting-b'>, message: Uint8Array, rng: Rng): HandshakeStep {
  const { ground } = state
  const plain = unsealOnce(outerKeys(ground.sessionKey).b, state.transcript, message)
  if (plain === null) return fail('initiator', 'unopened')
  const reader = new Reader(plain)
  const dh = x25519(state.ephemeralSecret, reader.bytes(KEY_BYTES))
  const kem = kemDecapsulate(reader.bytes(KEM_CIPHERTEXT_BYTES), state.kemSecret)
  reader.end()
  const transcript = mix(state.transcript, message)
  const hs = handshakeSecret(dh, kem, ground.sessionKey, transcript)
  wipe(dh, kem, state.ephemeralSecret, state.kemSecret)

  const s1 = rng.bytes(OAEP_SECRET_BYTES)
  const rsa = sealOaep(ground.peer.rsa, linkOaepLabel('responder', transcript), s1)
  const { initiator, responder } = ground.parties
  const fields = pack({ epoch: initiator.epoch, peerEpoch: responder.epoch, ...fieldsOf(ground.own) })
  const bytes = sealOnce(messageKey(hs, 'c', transcript), transcript, rsa, fields)
  const next = {
    role: 'initiator',
    stage: 'awaiting-d',
    ground,
    transcript: mix(transcript, bytes),
    hs,
    s1,
  } as const
  return [next, [{ kind: 'send', bytes }]]
}

/** d: OAEP_I(s2) ‖ MAC_R ‖ fields. Nothing of it counts before s2 is opened and the MAC is right. */
function onD(state: At<'awaiting-d'>, message: Uint8Array): HandshakeStep {
  const { ground, transcript, hs, s1 } = state
  const plain = unsealOnce(messageKey(hs, 'd', transcript), transcript, message)
  if (plain === null) return fail('initiator', 'unopened')
  const reader = new Reader(plain)
  const ciphertext = reader.bytes(OAEP_BYTES)
  const theirMac = reader.bytes(MAC_BYTES)
  const fields = reader.rest()
  const announced = readAnnouncement(unpackAs(fieldsOfD, fields), ground.peer.address)
  if (announced === null) return fail('initiator', 'device')
  const bound = bindIdentities(transcript, ground.parties, ciphertext, fields)
  const label = linkOaepLabel('initiator', transcript)
  return [
    { role: 'initiator', stage: 'opening-d', ground, bound, hs, s1, theirMac, announced, message },
    [{ kind: 'open-oaep', ciphertext, label }],
  ]
}

/** Sends e: MAC_I. Established, for the peer has shown both its private key and all that we said. */
function onS2(state: At<'opening-d'>, secret: Uint8Array | null, rng: Rng): HandshakeStep {
  const { ground, bound, hs, s1 } = state
  const s2 = secret?.length === OAEP_SECRET_BYTES ? secret : rng.bytes(OAEP_SECRET_BYTES)
  const keys = splitFinal(ground.vault.linkKeys(ground.row, hs, s1, s2, bound))
  if (!sameSecret(linkMac(keys, 'responder', bound), state.theirMac)) return fail('initiator', 'not-the-peer')
  const transcript = mix(bound, state.message)
  const bytes = sealOnce(messageKey(hs, 'e', transcript), transcript, linkMac(keys, 'initiator', transcript))
  wipe(hs, s1, s2, keys.mac.initiator, keys.mac.responder)
  const session = {
    sendKey: keys.toResponder,
    receiveKey: keys.toInitiator,
    sent: 0,
    received: 0,
    transcript: mix(transcript, bytes),
  }
  return [
    { role: 'initiator', stage: 'established' },
    [
      { kind: 'send', bytes },
      { kind: 'established', session, peer: state.announced },
    ],
  ]
}
