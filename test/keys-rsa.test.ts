import t from 'tap'
import { execFileSync } from 'node:child_process'
import {
  constants,
  createHash,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../src/foundation/bytes.js'
import { exportPem, privateKey, restoreRsa, spkiOf } from '../src/keys/rsa-secret.js'
import { generateRsa } from '../src/keys/rsa-generate.js'
import { parsePeerSpki } from '../src/keys/spki.js'
import { fixturePem, fixtureRsa } from './fixtures/identities.js'

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
const OPENSSL_OAEP = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', 'rsa_mgf1_md:sha256'].flatMap(
  (option) => ['-pkeyopt', option],
)

/** The fixture identity with the least indexes. */
const QUICK = 5

function openssl(args: readonly string[], input?: string | Uint8Array): Buffer {
  return execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] })
}

// A search for primes is a lottery, and the machine may be busy.
t.setTimeout(240_000)

t.test('KEY-1 a real 8192-bit key is generated with progress and interoperates with OpenSSL', async (t) => {
  // A seed whose primes come early: the search is a lottery, and `npm test` has nothing to win in it. That any seed
  // leads to its key is what the vectors of det-keygen prove.
  const { seed, indexP, indexQ } = fixtureRsa(QUICK)
  const told: { tested: number; expected: number }[] = []
  const key = await generateRsa(seed, { onProgress: (progress) => told.push(progress) })
  t.same(
    told.map(({ tested }) => tested),
    told.map((_, i) => i + 1),
    'every test is told, once, as it ends',
  )
  t.ok(told.every(({ expected }) => expected === 287))
  t.same([key.indexP, key.indexQ], [indexP, indexQ], 'the first pair there is')
  t.same(restoreRsa(seed, key.indexP, key.indexQ), key, 'seed and indexes are the key')

  const directory = t.testdir({})
  const [pem, publicPem] = [join(directory, 'key.pem'), join(directory, 'public.pem')]
  writeFileSync(pem, exportPem(key))
  const facts = openssl(['rsa', '-check', '-noout', '-text', '-in', pem]).toString()
  t.match(facts, 'RSA key ok')
  t.match(facts, 'Private-Key: (8192 bit, 2 primes)')
  t.match(facts, 'publicExponent: 65537')

  writeFileSync(publicPem, createPublicKey(privateKey(key)).export({ type: 'spki', format: 'pem' }))
  const [theirs, ours] = [randomBytes(32), randomBytes(32)]
  const sealed = openssl(['pkeyutl', '-encrypt', '-pubin', '-inkey', publicPem, ...OPENSSL_OAEP], theirs)
  t.same(privateDecrypt({ key: privateKey(key), ...OAEP }, sealed), theirs, 'they encrypt, we decrypt')
  const sealedByUs = publicEncrypt({ key: createPublicKey(privateKey(key)), ...OAEP }, ours)
  t.same(
    openssl(['pkeyutl', '-decrypt', '-inkey', pem, ...OPENSSL_OAEP], sealedByUs),
    ours,
    'and the other way',
  )
})

t.test('KEY-2 fingerprint and md5 are what OpenSSL and md5sum say of the public key', (t) => {
  const der = openssl(['pkey', '-pubout', '-outform', 'DER'], fixturePem(0))
  const { fingerprint, md5 } = parsePeerSpki(spkiOf(fixtureRsa(0)))
  t.equal(execFileSync('md5sum', { input: der }).toString().slice(0, 32), md5)
  t.match(openssl(['dgst', '-sha256', '-hex'], der).toString(), fingerprint)
  t.equal(toHex(createHash('md5').update(der).digest()), md5)
  t.end()
})

t.test('a generation is cancelled at once', async (t) => {
  const control = new AbortController()
  const started = generateRsa(randomBytes(32), {
    signal: control.signal,
    onProgress: () => {
      control.abort()
    },
  })
  await t.rejects(started, { code: 'cancelled' })
  await t.rejects(generateRsa(randomBytes(32), { signal: control.signal }), { code: 'cancelled' })
})

t.test('a seed of another length and impossible indexes are refused', async (t) => {
  await t.rejects(generateRsa(randomBytes(16)), { code: 'malformed' })
  const seed = randomBytes(32)
  t.throws(() => restoreRsa(seed, 5, 5), { code: 'bad-key' })
  t.throws(() => restoreRsa(seed, 6, 5), { code: 'bad-key' })
  t.throws(() => restoreRsa(seed, 5, 0xffffff), { code: 'bad-key' }, 'before an hour of drawing')
  t.throws(() => restoreRsa(seed.subarray(1), 5, 6), { code: 'bad-key' })
})
