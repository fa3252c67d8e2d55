import t from 'tap'
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { concat, u16, utf8 } from '../src/foundation/bytes.js'
import { HmacDrbg } from '../src/keys/hmac-drbg.js'
import { toBytes, toInteger } from '../src/keys/numbers.js'
import { isAccepted, PrimeLedger } from '../src/keys/prime-ledger.js'
import { privateKey } from '../src/keys/rsa-key.js'
import { deriveRsa } from '../src/keys/rsa-generate.js'
import { hasSmallFactor } from '../src/keys/small-primes.js'
import { fixturePath } from './fixtures/identities.js'

interface Vector {
  readonly bits: number
  readonly seed: string
  readonly private_key_pkcs8: string
}
const vectors = JSON.parse(readFileSync(fixturePath('vectors', 'det-keygen-rsa.json'), 'utf8')) as Vector[]

// A search for primes is a lottery, and the machine may be busy.
t.setTimeout(240_000)

t.test('KEY-1 every vector of C2SP det-keygen, 8192 bits included, is found from its seed', async (t) => {
  t.equal(vectors.length, 21)
  t.ok(vectors.some(({ bits }) => bits === 8192))
  for (const { bits, seed, private_key_pkcs8 } of vectors) {
    const { pair } = await deriveRsa(Buffer.from(seed, 'base64'), bits)
    const primes = { p: toBytes(pair.p.value, bits / 16), q: toBytes(pair.q.value, bits / 16) }
    const der = privateKey(primes).export({ type: 'pkcs8', format: 'der' }).toString('base64')
    t.equal(der, private_key_pkcs8, `${bits} bits, seed ${seed}: byte for byte`)
  }
})

t.test('det-keygen refuses the sizes and seeds that it does not define', async (t) => {
  for (const bits of [2047, 2056, 1024, 65536, 2048.5]) {
    await t.rejects(deriveRsa(randomBytes(32), bits), { code: 'usage' })
  }
  await t.rejects(deriveRsa(randomBytes(15), 2048), { code: 'usage' })
})

t.test('the DRBG is SP 800-90A written again with node:crypto', (t) => {
  const hmac = (key: Uint8Array, ...parts: Uint8Array[]) =>
    createHmac('sha256', key)
      .update(concat(...parts))
      .digest()
  for (const bytes of [32, 129, 512]) {
    const [seed, label] = [randomBytes(bytes), concat(utf8('det RSA key gen'), u16(8192))]
    let [key, value]: [Buffer, Buffer] = [Buffer.alloc(32), Buffer.alloc(32, 1)]
    for (const mark of [0, 1]) {
      key = hmac(key, value, Buffer.of(mark), seed, label)
      value = hmac(key, value)
    }
    const drbg = new HmacDrbg(seed, label)
    for (let i = 0; i < 40; i++) {
      let drawn: Buffer = Buffer.alloc(0)
      while (drawn.length < bytes) {
        value = hmac(key, value)
        drawn = concat(drawn, value)
      }
      key = hmac(key, value, Buffer.of(0))
      value = hmac(key, value)
      if (i % 3 === 2) drbg.skip(bytes)
      else t.same(drbg.generate(bytes), drawn.subarray(0, bytes))
    }
  }
  t.end()
})

t.test('the pair is the first in the order of the stream, whatever order the tests end in', (t) => {
  const prime = (index: number, value = BigInt(index)) => ({ index, value })
  const ledger = new PrimeLedger()
  ledger.add(prime(30, 31n))
  t.equal(ledger.settle(Infinity), null, 'one prime is not a pair')
  ledger.add(prime(20, 23n))
  t.equal(ledger.settle(10), null, 'an earlier one is still under test')
  t.equal(ledger.settle(25), null, 'one between the two as well')
  ledger.add(prime(10, 11n))
  t.same(ledger.settle(25), { p: prime(10, 11n), q: prime(20, 23n) })
  t.end()
})

t.test('a pair without an inverse of e, or with a common divisor of 2^32, is dropped whole', (t) => {
  const divisible = 65537n * 4n + 1n
  t.notOk(isAccepted(divisible, 23n))
  t.notOk(isAccepted(23n, divisible))
  t.notOk(isAccepted(3n * 2n ** 32n + 1n, 5n * 2n ** 32n + 1n))
  t.ok(isAccepted(3n * 2n ** 31n + 1n, 5n * 2n ** 31n + 1n))
  const ledger = new PrimeLedger()
  const primes = [23n, divisible, 29n, 31n].map((value, index) => ({ index, value }))
  for (const prime of primes) ledger.add(prime)
  t.same(ledger.settle(Infinity), { p: primes[2], q: primes[3] })
  t.end()
})

t.test('trial division finds every small factor and nothing else', (t) => {
  const large = 2n ** 521n - 1n
  for (const factor of [3n, 5n, 251n, 1619n, 65521n]) t.ok(hasSmallFactor(large * factor), factor.toString())
  t.notOk(hasSmallFactor(large))
  t.notOk(hasSmallFactor(large * 65537n))
  t.end()
})

t.test('integers and bytes are each other', (t) => {
  t.same(toBytes(0x0102n, 4), Buffer.of(0, 0, 1, 2))
  t.equal(toInteger(Buffer.of(0, 1, 2)), 0x0102n)
  t.end()
})
