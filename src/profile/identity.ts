import { readFile } from 'node:fs/promises'
import { SottoError } from '../foundation/errors.js'
import { type Rng, systemRng } from '../foundation/rng.js'
import { type Identity, createIdentity } from '../keys/identity.js'
import { generateRsa } from '../keys/rsa-generate.js'
import { importPem } from '../keys/rsa-secret.js'
import { fingerprintOf, md5Of } from './answers.js'

export const RSA_BITS = 8192
const SEED_BYTES = 32
const MAX_PEM_BYTES = 64 * 1024

export type GenerateOptions = NonNullable<Parameters<typeof generateRsa>[1]>

/** A new identity around a freshly generated key. @throws cancelled */
export async function newIdentity(options: GenerateOptions, rng: Rng = systemRng): Promise<Identity> {
  const rsa = await generateRsa(rng.bytes(SEED_BYTES), options)
  return createIdentity(rsa, rng)
}

/** A new identity around a key that exists. `pemPassphrase` is asked only for an encrypted PEM. @throws bad-key */
export async function importIdentity(
  path: string,
  pemPassphrase: () => Promise<string>,
  rng: Rng = systemRng,
): Promise<Identity> {
  const pem = await readFile(path).catch(() => {
    throw new SottoError('not-found', 'the key file cannot be read')
  })
  if (pem.length > MAX_PEM_BYTES) throw new SottoError('bad-key')
  const text = pem.toString('latin1')
  const encrypted = text.includes('ENCRYPTED')
  return createIdentity(importPem(text, encrypted ? await pemPassphrase() : undefined), rng)
}

export function keyAnswer({ id, spki }: Pick<Identity, 'id' | 'spki'>) {
  return { id, bits: RSA_BITS, fingerprint: fingerprintOf(spki), md5: md5Of(spki) }
}
