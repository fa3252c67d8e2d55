import t from 'tap'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { gcd, inverse, toBytes, toInteger } from '../src/keys/numbers.js'
import { exportPem, importPem, spkiOf } from '../src/keys/rsa-secret.js'
import { parsePeerSpki, SPKI_BYTES } from '../src/keys/spki.js'
import { FIXTURE_IDENTITIES, fixturePath, fixturePem, fixtureRsa } from './fixtures/identities.js'

function openssl(args: readonly string[], input: string): string {
  return execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] }).toString()
}

const rsa = fixtureRsa(0)
const pem = fixturePem(0)
/** The 4096-bit vector of det-keygen: nothing has to be generated for a key that is refused. */
const rsa4096 = (() => {
  const vectors = JSON.parse(readFileSync(fixturePath('vectors', 'det-keygen-rsa.json'), 'utf8')) as {
    bits: number
    private_key_pkcs8: string
  }[]
  const { private_key_pkcs8 } = vectors.find(({ bits }) => bits === 4096)!
  return createPrivateKey({ key: Buffer.from(private_key_pkcs8, 'base64'), format: 'der', type: 'pkcs8' })
})()
const primes = { form: 'primes', p: Buffer.from(rsa.p), q: Buffer.from(rsa.q) } as const

t.test('Alice brings a key that OpenSSL made, in any of its forms', (t) => {
  const forms = {
    'PKCS#8': ['pkcs8', '-topk8', '-nocrypt'],
    'PKCS#1': ['rsa', '-traditional'],
    'PKCS#8 under PBKDF2': ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'pass:open sesame'],
    'PKCS#8 under scrypt': ['pkcs8', '-topk8', '-scrypt', '-passout', 'pass:open sesame'],
    'PKCS#1 under the old encryption': ['rsa', '-traditional', '-aes256', '-passout', 'pass:open sesame'],
  }
  for (const [name, args] of Object.entries(forms)) {
    const made = openssl(args, pem)
    t.same(importPem(made, 'open sesame'), primes, name)
    t.same(
      importPem(Buffer.from(`an introduction\n${made}`), 'open sesame'),
      primes,
      `${name}, as bytes among others`,
    )
    if (!made.includes('ENCRYPTED')) continue
    t.throws(() => importPem(made, 'open says me'), { code: 'wrong-passphrase' }, `${name}, mistyped`)
    t.throws(() => importPem(made), { code: 'bad-key', message: /passphrase/u }, `${name}, no passphrase`)
  }
  t.end()
})

t.test('what we export OpenSSL reads', (t) => {
  const same = (text: string, ...args: string[]) =>
    t.equal(openssl(['pkey', ...args], text), openssl(['pkey'], pem))
  same(exportPem(rsa))
  same(exportPem(rsa, 'öffne dich'), '-passin', 'pass:öffne dich')
  t.match(openssl(['asn1parse'], exportPem(rsa, 'öffne dich')), /INTEGER +:0927C0/u, '600,000 rounds')
  t.same(importPem(exportPem(rsa, 'öffne dich'), 'öffne dich'), primes)
  t.equal(exportPem(importPem(pem)), pem, 'an imported key goes out as it came')
  t.end()
})

t.test('keys that are not sound RSA-8192 with e = 65537 are refused', (t) => {
  const ed = generateKeyPairSync('ed25519').privateKey
  const refused = {
    'RSA-4096': rsa4096.export({ type: 'pkcs8', format: 'pem' }).toString(),
    Ed25519: ed.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'e = 3': pemOf(...twoPrimesFor(3n), 3n),
    'unequal primes': pemOf(toInteger(rsa.p), toInteger(rsa.p), 65537n),
    'a prime that is none': pemOf(toInteger(rsa.p), toInteger(rsa.q) - 2n, 65537n),
    'a public key': createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString(),
    'no PEM': 'hello',
    nothing: '',
    'a broken PEM': pem.slice(0, 2000),
    'a flood': 'A'.repeat(1 << 20),
  }
  for (const [name, text] of Object.entries(refused))
    t.throws(() => importPem(text), { code: 'bad-key' }, name)
  t.end()
})

t.test('primes that do not make the modulus are refused', (t) => {
  const jwk = createPrivateKey(pem).export({ format: 'jwk' })
  const foreign = Buffer.from(fixtureRsa(1).q).toString('base64url')
  const mixed = createPrivateKey({ key: { ...jwk, q: foreign }, format: 'jwk' })
  const text = mixed.export({ type: 'pkcs8', format: 'pem' }).toString()
  t.throws(() => importPem(text), { code: 'bad-key', message: /belong together/u })
  t.end()
})

t.test('a peer has one public key in one form', (t) => {
  const spki = spkiOf(rsa)
  t.equal(spki.length, SPKI_BYTES)
  t.equal(parsePeerSpki(spki).key.asymmetricKeyDetails?.modulusLength, 8192)
  const jwk = createPublicKey(pem).export({ format: 'jwk' })
  const withExponent3 = createPublicKey({ key: { ...jwk, e: 'Aw' }, format: 'jwk' })
  const der = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })
  const refused = {
    '4096 bits': der(createPublicKey(rsa4096)),
    'e = 3': der(withExponent3),
    'trailing bytes': Buffer.concat([spki, Buffer.of(0)]),
    'cut short': spki.subarray(0, -1),
    'BER length': Buffer.concat([spki.subarray(0, 1), Buffer.of(0x83, 0), spki.subarray(2)]),
    'PKCS#1': createPublicKey(pem).export({ type: 'pkcs1', format: 'der' }),
    nothing: Buffer.alloc(0),
  }
  for (const [name, bytes] of Object.entries(refused))
    t.throws(() => parsePeerSpki(bytes), { code: 'bad-key' }, name)
  t.end()
})

t.test('no flipped bit around the modulus passes, and one inside gives another fingerprint', (t) => {
  const spki = spkiOf(rsa)
  const { fingerprint } = parsePeerSpki(spki)
  const modulus = { start: 33, end: 33 + 1024 }
  fc.assert(
    fc.property(fc.nat(SPKI_BYTES * 8 - 1), (bit) => {
      const byte = bit >> 3
      const flipped = Buffer.from(spki)
      flipped.writeUInt8(flipped.readUInt8(byte) ^ (1 << (bit & 7)), byte)
      const evenOrShort = bit === modulus.start * 8 + 7 || bit === (modulus.end - 1) * 8
      if (byte < modulus.start || byte >= modulus.end || evenOrShort) {
        t.throws(() => parsePeerSpki(flipped), { code: 'bad-key' })
        return true
      }
      return parsePeerSpki(flipped).fingerprint !== fingerprint
    }),
    { numRuns: 300, examples: [[33 * 8 + 7], [(33 + 1023) * 8], [0], [SPKI_BYTES * 8 - 1]] },
  )
  t.end()
})

/** Two of the fixtures' primes that leave `e` an inverse. */
function twoPrimesFor(e: bigint): [bigint, bigint] {
  const all = Array.from({ length: FIXTURE_IDENTITIES }, (_, n) => fixtureRsa(n)).flatMap(({ p, q }) => [
    p,
    q,
  ])
  const [p, q] = all.map(toInteger).filter((prime) => (prime - 1n) % e !== 0n)
  return [p!, q!]
}

function pemOf(p: bigint, q: bigint, e: bigint): string {
  const [p1, q1] = [p - 1n, q - 1n]
  const lambda = (p1 * q1) / gcd(p1, q1)
  const d = inverse(e, lambda)
  const part = (value: bigint, length: number) => toBytes(value, length).toString('base64url')
  const jwk = {
    kty: 'RSA',
    n: part(p * q, 1024),
    e: part(e, e < 256n ? 1 : 3),
    d: part(d, 1024),
    p: part(p, 512),
    q: part(q, 512),
    dp: part(d % p1, 512),
    dq: part(d % q1, 512),
    qi: part(inverse(q, p), 512),
  }
  return createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }).toString()
}
