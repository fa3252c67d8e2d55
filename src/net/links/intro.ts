import { isSottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import { beginIntroInitiator, stepIntroInitiator } from './intro-initiator.js'
import { beginIntroResponder, stepIntroResponder } from './intro-responder.js'
import {
  failIntro,
  MAX_INTRO_BYTES,
  type Intro,
  type IntroInitiatorParams,
  type IntroInput,
  type IntroResponderParams,
  type IntroStep,
} from './intro-state.js'

export type { IntroResult, RequestBody } from './intro-messages.js'
export type {
  Intro,
  IntroEffect,
  IntroFailure,
  IntroInitiatorParams,
  IntroInput,
  IntroResponderParams,
  IntroStep,
} from './intro-state.js'

/** First contact (SPEC § 6.3): the initiator sends its key at once, the responder waits for it. */
export function beginIntro(role: 'initiator', params: IntroInitiatorParams, rng: Rng): IntroStep
export function beginIntro(role: 'responder', params: IntroResponderParams, rng: Rng): IntroStep
export function beginIntro(
  role: 'initiator' | 'responder',
  params: IntroInitiatorParams | IntroResponderParams,
  rng: Rng,
): IntroStep {
  return role === 'initiator' && 'expect' in params
    ? beginIntroInitiator(params, rng)
    : beginIntroResponder(params as IntroResponderParams)
}

/** After `done` or `failed` a first contact says nothing more. */
export function stepIntro(state: Intro, input: IntroInput, now: number, rng: Rng): IntroStep {
  if (state.stage === 'done' || state.stage === 'failed') return [state, []]
  if (input.kind === 'message' && input.bytes.length > MAX_INTRO_BYTES)
    return failIntro(state.role, 'malformed')
  try {
    return state.role === 'initiator'
      ? stepIntroInitiator(state, input, now)
      : stepIntroResponder(state, input, now, rng)
  } catch (error) {
    if (isSottoError(error, 'malformed')) return failIntro(state.role, 'malformed')
    if (isSottoError(error, 'untrusted-key') || isSottoError(error, 'bad-key')) {
      return failIntro(state.role, 'bad-identity')
    }
    throw error
  }
}
