import * as v from 'valibot'
import { SottoError } from '../../foundation/errors.js'
import type { Host } from '../host.js'
import type { View } from '../../projections/view.js'
import { resolveWho } from '../who.js'
import type { ContactRow } from '../../projections/view.js'

/** One call: where it runs, how events go out before the result, and when nobody waits for it any more. */
export interface Call {
  readonly host: Host
  readonly view: View
  readonly now: number
  readonly signal: AbortSignal
  emit(event: unknown): void
  /** Resolves when most of what was emitted was taken: for answers of any length. */
  room(): Promise<void>
}

/** What a command, or a program on the local socket, may ask of a profile (SPEC § 9). */
export interface Method<S extends v.GenericSchema, R> {
  readonly params: S
  run(call: Call, params: v.InferOutput<S>): R | Promise<R>
}

export function method<S extends v.GenericSchema, R>(params: S, run: Method<S, R>['run']): Method<S, R> {
  return { params, run }
}

export const MAX_WHO_CHARACTERS = 256
const MAX_TIMEOUT_S = 86_400

export const Text = (max: number) => v.pipe(v.string(), v.maxLength(max))
export const Who = v.object({ who: Text(MAX_WHO_CHARACTERS) })
export const Timeout = v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_TIMEOUT_S))
export const Milliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** @throws usage; the parameters themselves stay out of the message */
export function parseParams<S extends v.GenericSchema>(schema: S, params: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, params ?? {})
  if (result.success) return result.output
  const path = v.getDotPath(result.issues[0])
  throw new SottoError('usage', path === null ? undefined : `${path} cannot be that`)
}

/** @throws not-found, ambiguous, bad-id */
export function person(call: Call, who: string): ContactRow {
  return resolveWho(who, call.view.contacts())
}
