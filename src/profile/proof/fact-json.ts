import { SottoError } from '../../foundation/errors.js'

/** Facts are flat; whoever nests deeper wants to exhaust a stack. */
const MAX_DEPTH = 16

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * A fact's data as JSON, bytes as base64url (SPEC § 4.9). Two bodies that give the same JSON tell the same.
 * @throws malformed for what no fact holds
 */
export function factJson(data: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new SottoError('malformed', 'a fact is nested too deeply')
  if (data === null || typeof data === 'string' || typeof data === 'boolean') return data
  if (typeof data === 'number' && Number.isFinite(data)) return data
  if (data instanceof Uint8Array) return base64url(data)
  if (Array.isArray(data)) return data.map((item) => factJson(item, depth + 1))
  if (typeof data !== 'object' || Object.getPrototypeOf(data) !== Object.prototype) {
    throw new SottoError('malformed', 'a fact holds what is none of JSON’s')
  }
  const fields = Object.entries(data).filter(([, value]) => value !== undefined)
  return Object.fromEntries(fields.map(([key, value]) => [key, factJson(value, depth + 1)]))
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}
