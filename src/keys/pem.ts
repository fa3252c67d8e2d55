import forge from 'node-forge'
import {
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  verify,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { wipe } from '../foundation/bytes.js'
import { SottoError } from '../foundation/errors.js'
import { toInteger } from './numbers.js'
import { encryptPkcs8 } from './pbes2.js'
import { MODULUS_BYTES, PRIME_BYTES, privateKey, type PrimesRsa, type RsaSecret } from './rsa-key.js'

/** An 8192-bit key in PEM takes 6.4 KB; other blocks may stand beside it. */
const MAX_PEM_BYTES = 64 * 1024
const PRIVATE_BLOCKS = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'ENCRYPTED PRIVATE KEY']
/** FIPS 186-5 A.1.1: closer primes let the modulus be factored by Fermat's method. */
const MIN_DISTANCE = 1n << BigInt(8 * PRIME_BYTES - 100)
const EXPONENT_65537 = 'AQAB'

/**
 * An RSA-8192 key made elsewhere: PKCS#8, PKCS#1, or either encrypted, as PEM. Kept as p and q; the private exponent is
 * computed anew, and the key has to work.
 * @throws bad-key when it is not a sound RSA key of 8192 bits with e = 65537, or is encrypted and no passphrase came;
 * wrong-passphrase
 */
export function importPem(pem: string | Uint8Array, passphrase?: string): PrimesRsa {
  const { n, e, p, q } = jwkOf(openBlock(privateBlock(textOf(pem)), passphrase))
  const [modulus, primeP, primeQ] = [n, p, q].map((part) => Buffer.from(part ?? '', 'base64url'))
  if (e !== EXPONENT_65537 || modulus?.length !== MODULUS_BYTES) throw new SottoError('bad-key')
  if (primeP?.length !== PRIME_BYTES || primeQ?.length !== PRIME_BYTES) {
    throw new SottoError('bad-key', 'its primes are not of 4096 bits each')
  }
  const secret: PrimesRsa = { form: 'primes', p: primeP, q: primeQ }
  requireSound(secret, toInteger(modulus))
  return secret
}

/** PKCS#8 PEM, under a passphrase when one is given. */
export function exportPem(secret: RsaSecret, passphrase?: string): string {
  const key = privateKey(secret)
  if (passphrase === undefined) return key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  const sealed = encryptPkcs8(pkcs8, passphrase)
  wipe(pkcs8)
  return sealed
}

function textOf(pem: string | Uint8Array): string {
  if (pem.length > MAX_PEM_BYTES) throw new SottoError('bad-key', 'the file is too large')
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1')
}

/** The first private key among the blocks of a PEM file (RFC 7468). */
function privateBlock(text: string): forge.pem.ObjectPEM {
  const block = blocksOf(text).find(({ type }) => PRIVATE_BLOCKS.includes(type))
  if (block === undefined) throw new SottoError('bad-key', 'there is no private key in that file')
  return block
}

function blocksOf(text: string): forge.pem.ObjectPEM[] {
  try {
    return forge.pem.decode(text)
  } catch (cause) {
    throw new SottoError('bad-key', 'that is not a PEM file', { cause })
  }
}

function openBlock(block: forge.pem.ObjectPEM, passphrase: string | undefined): KeyObject {
  const encrypted = block.type === 'ENCRYPTED PRIVATE KEY' || block.dekInfo !== null
  if (encrypted && passphrase === undefined)
    throw new SottoError('bad-key', 'it is encrypted; a passphrase is needed')
  const key = forge.pem.encode(block)
  try {
    return createPrivateKey({
      key,
      format: 'pem',
      ...(encrypted && passphrase !== undefined ? { passphrase } : {}),
    })
  } catch {
    // Nothing of what OpenSSL says goes on: it may quote the key.
    throw new SottoError(encrypted ? 'wrong-passphrase' : 'bad-key')
  }
}

function jwkOf(key: KeyObject): JsonWebKey {
  if (key.asymmetricKeyType !== 'rsa') throw new SottoError('bad-key')
  return key.export({ format: 'jwk' })
}

function requireSound(secret: PrimesRsa, modulus: bigint): void {
  const [p, q] = [toInteger(secret.p), toInteger(secret.q)]
  const distance = p > q ? p - q : q - p
  if (p * q !== modulus || distance < MIN_DISTANCE || !works(secret)) {
    throw new SottoError('bad-key', 'its parts do not belong together')
  }
}

/** A signature on random bytes verifies for almost no p and q that are not prime. */
function works(secret: PrimesRsa): boolean {
  const challenge = randomBytes(PRIME_BYTES)
  try {
    const key = privateKey(secret)
    return verify('sha256', challenge, createPublicKey(key), sign('sha256', challenge, key))
  } catch {
    return false
  }
}
