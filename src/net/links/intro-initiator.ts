import { concat, lp, wipe } from '../../foundation/bytes.js'
import { KEY_BYTES, md5, x25519 } from '../../foundation/crypto.js'
import { Reader } from '../../foundation/reader.js'
import type { Rng } from '../../foundation/rng.js'
import type { Card } from '../../events/vocabulary/facts.js'
import {
  MAX_REQUEST_BYTES,
  parseHello,
  parseResult,
  verifyIdentity,
  type Hello,
  type RequestBody,
} from './intro-messages.js'
import { advance, openPart, sealPart, startChain } from './intro-schedule.js'
import {
  failIntro,
  MAX_INTRO_BYTES,
  type IntroInitiator,
  type IntroInitiatorParams,
  type IntroInput,
  type IntroStep,
} from './intro-state.js'
import { KEM_CIPHERTEXT_BYTES, kemDecapsulate, kemKeygen } from './kem.js'
import { packPadded } from './packed.js'
import { MAX_WORK_BITS, searchWork } from './work.js'

type At<S extends IntroInitiator['stage']> = Extract<IntroInitiator, { stage: S }>

/** Sends message 1: ek. */
export function beginIntroInitiator(params: IntroInitiatorParams, rng: Rng): IntroStep {
  const { request } = params
  if (request !== null && packRequest(request, Number.MAX_SAFE_INTEGER).length > MAX_REQUEST_BYTES) {
    return failIntro('initiator', 'too-large')
  }
  const kem = kemKeygen(rng)
  const start = startChain(params.proof, params.introduction, params.sessionKey)
  const [chain, bytes] = sealPart(start, 'toResponder', kem.publicKey)
  return [
    { role: 'initiator', stage: 'awaiting-hello', params, chain, kemSecret: kem.secretKey },
    [{ kind: 'send', bytes }],
  ]
}

/** @throws malformed, untrusted-key, bad-key */
export function stepIntroInitiator(state: IntroInitiator, input: IntroInput, now: number): IntroStep {
  if (state.stage === 'awaiting-hello' && input.kind === 'message') return onHello(state, input.bytes, now)
  if (state.stage === 'working' && input.kind === 'work') return work(state)
  if (state.stage === 'awaiting-result' && input.kind === 'message') return onResult(state, input.bytes)
  return failIntro('initiator', 'out-of-order')
}

/** Message 2: lp(e_R ‖ ct) ‖ hello. */
function onHello(state: At<'awaiting-hello'>, message: Uint8Array, now: number): IntroStep {
  const { params, kemSecret } = state
  const reader = new Reader(message)
  const first = openPart(state.chain, 'toInitiator', reader.lp(MAX_INTRO_BYTES))
  if (first === null) return failIntro('initiator', 'unopened')
  const keys = new Reader(first[1])
  const responderEphemeral = keys.bytes(KEY_BYTES)
  const kem = kemDecapsulate(keys.bytes(KEM_CIPHERTEXT_BYTES), kemSecret)
  keys.end()
  const dh = x25519(params.ephemeralSecret, responderEphemeral)
  const second = openPart(advance(first[0], 2, dh, kem), 'toInitiator', reader.rest())
  wipe(dh, kem, kemSecret)
  if (second === null) return failIntro('initiator', 'unopened')

  const [chain, plain] = second
  const hello = parseHello(plain)
  const { identity, id } = verifyIdentity(hello, { now, address: params.expect })
  const told = { kind: 'hello', identity, id, card: cardOf(hello), discoverable: hello.discoverable } as const
  if (params.request === null) return [{ role: 'initiator', stage: 'done' }, [told]]
  const [next, effects] = ask({ ...state, chain }, params.request, responderEphemeral, hello.work)
  return [next, [told, ...effects]]
}

function cardOf({ nickname, avatar }: Hello): Card | null {
  if (nickname === undefined) return null
  return avatar === undefined ? { nickname } : { nickname, avatar: Buffer.from(avatar) }
}

function ask(
  { params, chain }: At<'awaiting-hello'>,
  request: RequestBody,
  responderEphemeral: Uint8Array,
  bits: number,
): IntroStep {
  if (bits > MAX_WORK_BITS) return failIntro('initiator', 'too-much-work')
  return work({
    role: 'initiator',
    stage: 'working',
    params,
    request,
    chain,
    responderEphemeral,
    bits,
    next: 0,
  })
}

function work(state: At<'working'>): IntroStep {
  const search = searchWork(state.chain.h, state.bits, state.next)
  if ('found' in search) return sendRequest(state, search.found)
  return [{ ...state, next: search.next }, [{ kind: 'work' }]]
}

/** Message 3: lp(identity) ‖ request, the second part under our `dh` key as well. */
function sendRequest(state: At<'working'>, found: number): IntroStep {
  const { vault, introduction } = state.params
  const who = packPadded({ certificate: vault.certificate, spki: vault.spki, md5: md5(vault.spki) })
  const [afterWho, first] = sealPart(state.chain, 'toResponder', who)
  const ephemeral = vault.dh(state.responderEphemeral)
  const statics = vault.dh(introduction)
  const keyed = advance(afterWho, 3, ephemeral, statics)
  wipe(ephemeral, statics)
  const [chain, second] = sealPart(keyed, 'toResponder', packRequest(state.request, found))
  return [
    { role: 'initiator', stage: 'awaiting-result', chain },
    [{ kind: 'send', bytes: concat(lp(first), second) }],
  ]
}

function packRequest(request: RequestBody, found: number): Buffer {
  return packPadded({ kind: 'request', ...request, work: found })
}

/** Message 4. */
function onResult(state: At<'awaiting-result'>, message: Uint8Array): IntroStep {
  const opened = openPart(state.chain, 'toInitiator', message)
  if (opened === null) return failIntro('initiator', 'unopened')
  return [{ role: 'initiator', stage: 'done' }, [{ kind: 'result', result: parseResult(opened[1]) }]]
}
