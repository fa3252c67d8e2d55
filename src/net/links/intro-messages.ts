import * as v from 'valibot'
import { sameSecret } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import type { Card, Endpoint, PublicIdentity, UserId } from '../../events/vocabulary/facts.js'
import { verifyCertificate, type Certificate } from '../../keys/certificate.js'
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
import { unpackPaddedAs } from './packed.js'

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

const identity = v.object(identityFields)
const hello = v.object({
  ...identityFields,
  v: v.literal(1),
  nickname: v.exactOptional(nicknameField),
  avatar: v.exactOptional(avatarField),
  discoverable: v.boolean(),
  work: v.pipe(v.number(), v.integer(), v.minValue(0)),
})
const isRequest = v.object({ kind: v.literal('request') })
const request = v.object({
  ...cardFields,
  token: secret32,
  endpoints: endpointsField,
  text: v.exactOptional(textField),
  at: timeField,
  work: timeField,
})
const result = v.object({ result: v.picklist(['queued', 'busy', 'refused']) })

export type Hello = v.InferOutput<typeof hello>

/** @throws malformed */
export function parseIdentity(bytes: Uint8Array): v.InferOutput<typeof identity> {
  return unpackPaddedAs(identity, bytes)
}

/** @throws malformed; how much work is too much is for the caller to say */
export function parseHello(bytes: Uint8Array): Hello {
  return unpackPaddedAs(hello, bytes)
}
/** @throws malformed */
export function parseRequest(bytes: Uint8Array): { request: RequestBody; work: number } {
  unpackPaddedAs(isRequest, bytes)
  const { work, ...body } = unpackPaddedAs(request, bytes)
  return { request: body, work }
}
/** @throws malformed */
export function parseResult(bytes: Uint8Array): IntroResult {
  return unpackPaddedAs(result, bytes).result
}

/**
 * Verifies what a stranger says it is: the certificate (which covers the key's SHA-256 and MD5), and the MD5 beside it.
 * @throws untrusted-key, bad-key, malformed
 */
export function verifyIdentity(
  said: PublicIdentity & { readonly md5: Uint8Array },
  expected: { readonly now: number; readonly address?: Uint8Array },
): { identity: PublicIdentity; id: UserId; certificate: Certificate } {
  const certificate = verifyCertificate(said.certificate, said.spki, expected)
  if (!sameSecret(certificate.md5, said.md5)) throw new SottoError('untrusted-key', 'md5')
  const publicIdentity = { certificate: Buffer.from(said.certificate), spki: Buffer.from(said.spki) }
  return { identity: publicIdentity, id: idOf(certificate.address), certificate }
}
