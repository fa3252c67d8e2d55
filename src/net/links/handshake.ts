import { sha256 } from '../../foundation/crypto.js'
import { isSottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import { beginInitiator, stepInitiator } from './handshake-initiator.js'
import { stepResponder } from './handshake-responder.js'
import { startTranscript, type Role } from './handshake-schedule.js'
import {
  fail,
  MAX_HANDSHAKE_BYTES,
  type Ground,
  type Handshake,
  type HandshakeInput,
  type HandshakeParams,
  type HandshakeStep,
} from './handshake-state.js'
import { pinnedPeer } from './peer.js'

export type { Role } from './handshake-schedule.js'
export type {
  Handshake,
  HandshakeEffect,
  HandshakeFailure,
  HandshakeInput,
  HandshakeParams,
  HandshakeStep,
} from './handshake-state.js'

/** The handshake between contacts (SPEC § 6.4): the initiator sends a at once, the responder waits for it. */
export function beginHandshake(role: Role, params: HandshakeParams, rng: Rng): HandshakeStep {
  return guarded(role, () => {
    const ground = groundOf(role, params)
    const transcript = startTranscript(params.proof, ground.parties)
    if (role === 'initiator') return beginInitiator(ground, transcript, rng)
    return [{ role, stage: 'awaiting-a', ground, transcript }, []]
  })
}

/** After `established` or `failed` a handshake says nothing more. */
export function stepHandshake(state: Handshake, input: HandshakeInput, rng: Rng): HandshakeStep {
  if (state.stage === 'established' || state.stage === 'failed') return [state, []]
  if (input.kind === 'message' && input.bytes.length > MAX_HANDSHAKE_BYTES)
    return fail(state.role, 'malformed')
  return guarded(state.role, () =>
    state.role === 'initiator' ? stepInitiator(state, input, rng) : stepResponder(state, input, rng),
  )
}

function groundOf(role: Role, { vault, row, sessionKey, own }: HandshakeParams): Ground {
  // Asking for the pair key first lets the policy refuse before any work is done.
  vault.pairKey(row)
  const peer = pinnedPeer(row)
  const self = { address: vault.address, fingerprint: sha256(vault.spki), epoch: vault.epoch }
  const parties =
    role === 'initiator' ? { initiator: self, responder: peer } : { initiator: peer, responder: self }
  return { vault, row, peer, parties, sessionKey, own }
}

function guarded(role: Role, step: () => HandshakeStep): HandshakeStep {
  try {
    return step()
  } catch (error) {
    if (isSottoError(error, 'malformed')) return fail(role, 'malformed')
    if (isSottoError(error)) return fail(role, 'denied')
    throw error
  }
}
