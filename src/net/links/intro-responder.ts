import { concat, equalBytes, lp, wipe } from '../../foundation/bytes.js'
import { KEY_BYTES, md5, TAG_BYTES, x25519, x25519Public } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import {
  MAX_REQUEST_BYTES,
  parseIdentity,
  parseRequest,
  verifyIdentity,
  type IntroResult,
} from './intro-messages.js'
import { advance, openPart, sealPart, startChain } from './intro-schedule.js'
import {
  failIntro,
  MAX_INTRO_BYTES,
  type IntroInput,
  type IntroResponder,
  type IntroResponderParams,
  type IntroStep,
} from './intro-state.js'
import { kemEncapsulate } from './kem.js'
import { packPadded } from './packed.js'
import { isWork } from './work.js'

type At<S extends IntroResponder['stage']> = Extract<IntroResponder, { stage: S }>

export function beginIntroResponder(params: IntroResponderParams): IntroStep {
  const chain = startChain(params.proof, params.introductionPublic, params.sessionKey)
  return [{ role: 'responder', stage: 'awaiting-key', params, chain }, []]
}

/** @throws malformed, untrusted-key, bad-key */
export function stepIntroResponder(
  state: IntroResponder,
  input: IntroInput,
  now: number,
  rng: Rng,
): IntroStep {
  if (state.stage === 'awaiting-key' && input.kind === 'message') return onKey(state, input.bytes, rng)
  if (state.stage === 'awaiting-request' && input.kind === 'message')
    return onRequest(state, input.bytes, now)
  if (state.stage === 'deciding' && input.kind === 'decided') return answer(state, input.result)
  return failIntro('responder', 'out-of-order')
}

/** Message 1: ek. Sends message 2: lp(e_R ‖ ct) ‖ hello. */
function onKey(state: At<'awaiting-key'>, message: Uint8Array, rng: Rng): IntroStep {
  const { params } = state
  const opened = openPart(state.chain, 'toResponder', message)
  if (opened === null) return failIntro('responder', 'unopened')
  const ephemeralSecret = rng.bytes(KEY_BYTES)
  const kem = kemEncapsulate(opened[1], rng)
  const [afterKeys, first] = sealPart(
    opened[0],
    'toInitiator',
    concat(x25519Public(ephemeralSecret), kem.cipherText),
  )
  const dh = x25519(ephemeralSecret, params.ephemeral)
  const keyed = advance(afterKeys, 2, dh, kem.sharedSecret)
  wipe(dh, kem.sharedSecret)
  const [chain, second] = sealPart(keyed, 'toInitiator', packPadded(helloOf(params)))
  return [
    { role: 'responder', stage: 'awaiting-request', params, chain, ephemeralSecret },
    [{ kind: 'send', bytes: concat(lp(first), second) }],
  ]
}

function helloOf({ vault, card, workBits }: IntroResponderParams): Record<string, unknown> {
  const { nickname, avatar, discoverable } = card
  const shown = discoverable ? { nickname, ...(avatar === undefined ? {} : { avatar }) } : {}
  const { certificate, spki } = vault
  return { v: 1, certificate, spki, md5: md5(spki), ...shown, discoverable, work: workBits }
}

/** Message 3: lp(identity) ‖ request. The second part opens only with the key of who made it. */
function onRequest(state: At<'awaiting-request'>, message: Uint8Array, now: number): IntroStep {
  const { params, ephemeralSecret } = state
  const worked = state.chain.h
  const reader = new Reader(message)
  const first = openPart(state.chain, 'toResponder', reader.lp(MAX_INTRO_BYTES))
  if (first === null) return failIntro('responder', 'unopened')
  const verified = verifyIdentity(parseIdentity(first[1]), { now })
  if (equalBytes(verified.certificate.address, params.vault.address)) {
    return failIntro('responder', 'bad-identity')
  }
  const ephemeral = x25519(ephemeralSecret, verified.certificate.dh)
  const statics = x25519(params.introductionSecret, verified.certificate.dh)
  const sealed = reader.rest()
  if (sealed.length > MAX_REQUEST_BYTES + TAG_BYTES) throw new SottoError('malformed', 'request size')
  const second = openPart(advance(first[0], 3, ephemeral, statics), 'toResponder', sealed)
  wipe(ephemeral, statics, ephemeralSecret)
  if (second === null) return failIntro('responder', 'unopened')

  const { request, work } = parseRequest(second[1])
  if (!isWork(worked, work, params.workBits)) return failIntro('responder', 'no-work')
  const { identity, id } = verified
  return [
    { role: 'responder', stage: 'deciding', chain: second[0] },
    [{ kind: 'request', identity, id, request }],
  ]
}

/** Sends message 4. */
function answer(state: At<'deciding'>, result: IntroResult): IntroStep {
  const [, bytes] = sealPart(state.chain, 'toInitiator', packPadded({ result }))
  return [{ role: 'responder', stage: 'done' }, [{ kind: 'send', bytes }]]
}
