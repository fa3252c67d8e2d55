import type * as v from 'valibot'
import { SottoError } from '../foundation/errors.js'
import type { Host } from './host.js'
import { METHODS } from './methods/index.js'
import { type Call, type Method, parseParams } from './methods/method.js'

/** Carries out one method, its parameters checked. @throws usage for unknown methods and parameters */
export async function dispatch(
  host: Host,
  name: string,
  params: unknown,
  emit: Call['emit'],
  signal: AbortSignal,
  room: Call['room'] = () => Promise.resolve(),
): Promise<unknown> {
  if (!Object.hasOwn(METHODS, name)) throw new SottoError('usage', 'the daemon knows no such method')
  const method = METHODS[name as keyof typeof METHODS] as unknown as Method<v.GenericSchema, unknown>
  const call: Call = { host, view: host.profile.view, now: host.profile.clock.now(), signal, emit, room }
  return await method.run(call, parseParams(method.params, params))
}
