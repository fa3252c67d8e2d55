import t from 'tap'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { concat, lp, toHex, u32, utf8 } from '../src/foundation/bytes.js'
import { kdf, x25519Public } from '../src/foundation/crypto.js'
import { isSottoError } from '../src/foundation/errors.js'
import { seededRng } from '../src/foundation/rng.js'
import {
  CERTIFICATE_LIFETIME_MS,
  issueCertificate,
  parseCertificate,
  verifyCertificate,
} from '../src/keys/certificate.js'
import { ed25519Public, signEd25519, verifyEd25519 } from '../src/keys/ed25519.js'
import {
  createIdentity,
  identityFromPayload,
  payloadOf,
  wipeIdentity,
  type Identity,
} from '../src/keys/identity.js'
import { importPem } from '../src/keys/rsa-secret.js'
import { fixtureIdentity, fixturePem, fixtureRsa } from './fixtures/identities.js'

const NOW = 1_800_000_000_000
const DAY = 86_400_000
const alice = fixtureIdentity(0)
const mallory = fixtureIdentity(1)
const certificate = certify(alice)

function certify(identity: Identity, changes: Partial<Parameters<typeof issueCertificate>[0]> = {}): Buffer {
  return issueCertificate({ ...identity, dh: x25519Public(identity.dhSecret), notBefore: NOW, ...changes })
}

t.test('KEY-2 a certificate says whose key it is, with SHA-256 and MD5 of its DER', (t) => {
  t.equal(certificate.length, 264)
  const said = verifyCertificate(certificate, alice.spki, { address: alice.address, now: NOW })
  t.equal(toHex(said.fingerprint), createHash('sha256').update(alice.spki).digest('hex'))
  t.equal(toHex(said.md5), createHash('md5').update(alice.spki).digest('hex'))
  t.same(said.address, alice.address)
  t.same(said.dh, x25519Public(alice.dhSecret))
  t.same(said.recovery, alice.recoveryCommitment)
  t.same([said.epoch, said.notBefore, said.notAfter], [0, NOW, NOW + CERTIFICATE_LIFETIME_MS])
  t.same(said.bytes, certificate)
  const message = concat(utf8('sotto/certificate/1'), certificate.subarray(0, 197))
  t.ok(ed25519.verify(said.addressSignature, message, alice.address), 'noble agrees with OpenSSL')
  t.end()
})

t.test('Mallory changes a certificate: nothing passes', (t) => {
  fc.assert(
    fc.property(fc.nat(certificate.length * 8 - 1), (bit) => {
      const changed = Buffer.from(certificate)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      return refuses(changed, alice.spki)
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(fc.nat(certificate.length - 1), (length) =>
      refuses(certificate.subarray(0, length), alice.spki),
    ),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => refuses(bytes, alice.spki)))
  t.ok(refuses(concat(certificate, Buffer.of(0)), alice.spki), 'trailing bytes')
  t.end()
})

t.test('a certificate speaks for one key, one address and its own time', (t) => {
  const verify = (spki: Uint8Array, expected: Parameters<typeof verifyCertificate>[2]) => () =>
    verifyCertificate(certificate, spki, expected)
  t.throws(verify(mallory.spki, {}), { code: 'untrusted-key' })
  t.throws(verify(alice.spki, { address: mallory.address }), { code: 'untrusted-key' })
  t.throws(verify(alice.spki, { now: NOW - 2 * DAY }), { code: 'untrusted-key' })
  t.throws(verify(alice.spki, { now: NOW + CERTIFICATE_LIFETIME_MS + 1 }), { code: 'untrusted-key' })
  t.doesNotThrow(verify(alice.spki, { now: NOW - DAY / 2 }), 'a clock may be behind')
  t.throws(verify(concat(alice.spki, Buffer.of(0)), {}), { code: 'bad-key' })
  const stolen = certify(mallory, { spki: alice.spki, address: alice.address })
  t.throws(() => verifyCertificate(stolen, alice.spki), { code: 'untrusted-key' }, 'signed by another')
  t.end()
})

t.test('SHA-256 and MD5 must both fit, even under a good signature: MD5 alone proves nothing', (t) => {
  const [sha256At, md5At, signatureAt] = [37, 69, 197]
  for (const [name, at] of [
    ['SHA-256', sha256At],
    ['MD5', md5At],
  ] as const) {
    const signed = changed(certificate, at, 0)
    const message = concat(utf8('sotto/certificate/1'), signed.subarray(0, signatureAt))
    signEd25519(alice.addressSeed, message).copy(signed, signatureAt)
    t.throws(
      () => verifyCertificate(signed, alice.spki),
      { code: 'untrusted-key', message: /another key/u },
      name,
    )
  }
  t.end()
})

t.test('an address of small order, for which anybody can sign, and a dh of small order are refused', (t) => {
  const everybody = ed25519.Point.ZERO.toBytes()
  const forged = certify(mallory, { address: everybody })
  const message = concat(utf8('sotto/certificate/1'), forged.subarray(0, 197))
  const anySignature = concat(ed25519.Point.BASE.toBytes(), Buffer.of(1), Buffer.alloc(31))
  t.ok(verifyEd25519(everybody, message, anySignature), 'OpenSSL takes a signature that nobody made')
  anySignature.copy(forged, 197)
  t.throws(() => verifyCertificate(forged, mallory.spki, { address: everybody }), { code: 'untrusted-key' })
  const zeroDh = certify(alice, { dh: Buffer.alloc(32) })
  t.throws(() => verifyCertificate(zeroDh, alice.spki), { code: 'untrusted-key', message: /dh/u })
  t.end()
})

t.test('from epoch 1 on the previous key signs too', (t) => {
  const next = fixtureRsa(2)
  const later = { ...alice, rsa: next, epoch: 1, spki: fixtureIdentity(2).spki }
  const signed = certify(later, { predecessor: { secret: alice.rsa, spki: alice.spki } })
  t.equal(signed.length, 264 + 1024)
  t.doesNotThrow(() => verifyCertificate(signed, later.spki, { predecessorSpki: alice.spki }))
  const wrongOne = { code: 'untrusted-key' }
  t.throws(() => verifyCertificate(signed, later.spki, { predecessorSpki: mallory.spki }), wrongOne)
  const byMallory = certify(later, { predecessor: { secret: mallory.rsa, spki: alice.spki } })
  t.throws(() => verifyCertificate(byMallory, later.spki, { predecessorSpki: alice.spki }), wrongOne)
  t.throws(() => certify(later), { code: 'malformed' })
  t.throws(() => certify(alice, { predecessor: { secret: alice.rsa, spki: alice.spki } }), {
    code: 'malformed',
  })
  t.end()
})

t.test(
  'an identity comes back from its payload, generated or imported, with or without the recovery seed',
  (t) => {
    const imported = createIdentity(importPem(fixturePem(3)), seededRng('imported'))
    for (const [identity, length] of [
      [fixtureIdentity(0), 116],
      [imported, 1102],
    ] as const) {
      t.equal(payloadOf(identity, true).length, length)
      t.equal(payloadOf(identity, false).length, length)
      t.same(identityFromPayload(payloadOf(identity, true)), identity)
      t.same(identityFromPayload(payloadOf(identity, false)), { ...identity, recoverySeed: null })
      const withoutSeed = { ...identity, recoverySeed: null }
      t.same(payloadOf(withoutSeed, true), payloadOf(identity, false), 'a seed that is gone is not invented')
    }
    t.notSame(fixtureIdentity(0).dhSecret, fixtureIdentity(1).dhSecret)
    t.end()
  },
)

t.test('what is derived is derived as SPEC 2.1 says', (t) => {
  const { root, rsa, dhSecret, addressSeed, address, recoverySeed, recoveryCommitment } = fixtureIdentity(0)
  t.same(addressSeed, kdf(root, 'sotto/address/1'))
  t.same(address, ed25519.getPublicKey(addressSeed))
  const seed = rsa.form === 'seed' ? rsa.seed : Buffer.alloc(0)
  t.same(dhSecret, kdf(concat(root, lp(seed)), 'sotto/dh/1', u32(0)))
  const commitment = createHash('sha256')
    .update('sotto/recovery/1')
    .update(ed25519.getPublicKey(recoverySeed!))
  t.same(recoveryCommitment, commitment.digest())
  t.ok(ed25519.verify(signEd25519(addressSeed, utf8('x')), utf8('x'), ed25519Public(addressSeed)))
  t.end()
})

t.test('a payload that is not whole or not of its key is refused like a wrong passphrase', (t) => {
  const payload = payloadOf(fixtureIdentity(5), true)
  const broken = [
    Buffer.alloc(0),
    payload.subarray(0, -1),
    concat(payload, Buffer.of(0)),
    changed(payload, 32, 2),
    changed(payload, 32, 1),
    changed(payload, 37, 0xff),
    changed(payload, 45, 1),
    changed(payload, 79, 7),
    changed(payload, 83, 2),
    Buffer.alloc(1102, 1),
    changed(Buffer.alloc(1102), 32, 1),
  ]
  broken.forEach((bytes, i) =>
    t.throws(() => identityFromPayload(bytes), { code: 'wrong-passphrase' }, `case ${i}`),
  )
  t.end()
})

t.test('ID-2 a wiped identity holds no secret any more', (t) => {
  const identity = fixtureIdentity(4)
  const payload = payloadOf(identity, true)
  const restored = identityFromPayload(payload)
  wipeIdentity(restored)
  const { root, addressSeed, dhSecret, recoverySeed, rsa } = restored
  const secrets = [
    root,
    addressSeed,
    dhSecret,
    recoverySeed!,
    rsa.p,
    rsa.q,
    rsa.form === 'seed' ? rsa.seed : rsa.p,
  ]
  for (const secret of secrets) t.ok(secret.every((byte) => byte === 0))
  t.same(payload, payloadOf(fixtureIdentity(4), true), 'what it was read from is untouched')
  t.end()
})

/** Refused with an error of ours, not a crash. */
function refuses(bytes: Uint8Array, spki: Uint8Array): boolean {
  try {
    verifyCertificate(bytes, spki)
    return false
  } catch (error) {
    parseQuietly(bytes)
    return isSottoError(error, 'untrusted-key') || isSottoError(error, 'malformed')
  }
}

function parseQuietly(bytes: Uint8Array): void {
  try {
    parseCertificate(bytes)
  } catch (error) {
    if (!isSottoError(error, 'malformed')) throw error
  }
}

function changed(bytes: Uint8Array, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) === value ? value ^ 1 : value, at)
  return copy
}
