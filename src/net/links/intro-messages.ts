import * as v from 'valibot'
import { md5, sameSecret } from '../../foundation/crypto.js'
import type { Card, Endpoint, PublicIdentity, UserId } from '../../events/vocabulary/facts.js'
import { verifyCertificate, type Certificate } from '../../keys/certificate.js'
import { parsePeerSpki } from '../../keys/spki.js'
import { idOf } from '../../keys/user-id.js'
import {
  avatarField,
  certificateField,
  endpointsField,
  md5Field,
  nicknameField,
  secret32,
  spkiField,
  textField,
  timeField,
} from './fields.js'
import { unpackAs } from './packed.js'

/** What a stranger asks with: `token` is what we shall show it to get in (SPEC § 6.3). */
export interface RequestBody extends Card {
  readonly token: Uint8Array
  readonly endpoints: readonly Endpoint[]
  readonly text?: string
  readonly at: number
}
export type IntroResult = 'queued' | 'busy' | 'refused'

export const MAX_REQUEST_BYTES = 16 * 1024

const identityFields = { certificate: certificateField, spki: spkiField, md5: md5Field }
const cardFields = { nickname: nicknameField, avatar: v.exactOptional(avatarField) }

export const identitySchema = v.object(identityFields)
const hello = v.object({
  ...identityFields,
  v: v.literal(1),
  nickname: v.exactOptional(nicknameField),
  avatar: v.exactOptional(avatarField),
  discoverable: v.boolean(),
  work: v.pipe(v.number(), v.integer(), v.minValue(0)),
})
const request = v.object({
  ...cardFields,
  kind: v.literal('request'),
  token: secret32,
  endpoints: endpointsField,
  text: v.exactOptional(textField),
  at: timeField,
  work: timeField,
})
const result = v.object({ result: v.picklist(['queued', 'busy', 'refused']) })

export type Hello = v.InferOutput<typeof hello>

/** @throws malformed; how much work is too much is for the caller to say */
export function parseHello(bytes: Uint8Array): Hello {
  return unpackAs(hello, bytes)
}
/** @throws malformed */
export function parseRequest(bytes: Uint8Array): { request: RequestBody; work: number } {
  const { kind: _kind, work, ...body } = unpackAs(request, bytes)
  return { request: body, work }
}
/** @throws malformed */
export function parseResult(bytes: Uint8Array): IntroResult {
  return unpackAs(result, bytes).result
}

/**
 * Verifies what a stranger says it is: certificate, key, and the user's MD5 beside them.
 * @throws untrusted-key or bad-key
 */
export function verifyIdentity(
  said: PublicIdentity & { readonly md5: Uint8Array },
  expected: { readonly now: number; readonly address?: Uint8Array },
): { identity: PublicIdentity; id: UserId; certificate: Certificate } | null {
  parsePeerSpki(said.spki)
  const certificate = verifyCertificate(said.certificate, said.spki, expected)
  if (!sameSecret(md5(said.spki), said.md5)) return null
  const identity = { certificate: Buffer.from(said.certificate), spki: Buffer.from(said.spki) }
  return { identity, id: idOf(certificate.address), certificate }
}
