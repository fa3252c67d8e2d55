import fc from 'fast-check'
import t from 'tap'
import { fromHex, lp, toHex, u16, u32, u64, u8, utf8 } from '../src/foundation/bytes.js'
import { hash, kdf, seal, sha256, unseal, x25519, x25519Public } from '../src/foundation/crypto.js'
import { errorFromCode, isSottoError, SottoError } from '../src/foundation/errors.js'
import { pack, unpack } from '../src/foundation/pack.js'
import { Reader } from '../src/foundation/reader.js'
import { pooledRng, seededRng } from '../src/foundation/rng.js'

/** RFC 7748 section 6.1. */
const BOB_SECRET = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'
const BOB_PUBLIC = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
const SHARED = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'

t.test('X25519 as in RFC 7748 section 6.1; points of small order are refused', (t) => {
  t.equal(toHex(x25519Public(fromHex(BOB_SECRET))), BOB_PUBLIC)
  t.equal(toHex(x25519(fromHex(BOB_SECRET), fromHex(ALICE_PUBLIC))), SHARED)
  const order8 = 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'
  for (const point of ['00'.repeat(32), `01${'00'.repeat(31)}`, order8]) {
    t.throws(() => x25519(fromHex(BOB_SECRET), fromHex(point)), { code: 'malformed' })
  }
  t.throws(() => x25519(fromHex(BOB_SECRET), fromHex('00')), { code: 'malformed' })
  t.end()
})

t.test('HKDF as in RFC 5869 case 1, with the label where info begins', (t) => {
  const info = fromHex('f0f1f2f3f4f5f6f7f8f9')
  const okm = kdf(Buffer.alloc(22, 0x0b), '' as 'sotto/', info, 42, fromHex('000102030405060708090a0b0c'))
  t.equal(toHex(okm), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
  t.end()
})

t.test('a label separates what would otherwise be the same hash', (t) => {
  t.same(hash('sotto/a/1', utf8('b')), sha256(utf8('sotto/a/1b')))
  t.not(toHex(hash('sotto/a/1')), toHex(hash('sotto/a/2')))
  t.end()
})

t.test('a sealed text opens whole or not at all', (t) => {
  const key = Buffer.alloc(32, 1)
  const nonce = Buffer.alloc(12)
  const sealed = seal(key, nonce, utf8('aad'), utf8('text'))
  t.same(unseal(key, nonce, utf8('aad'), sealed), utf8('text'))
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const bent = Buffer.from(sealed)
    bent[bit >> 3]! ^= 1 << (bit & 7)
    t.equal(unseal(key, nonce, utf8('aad'), bent), null)
  }
  for (let cut = 0; cut < sealed.length; cut++) {
    t.equal(unseal(key, nonce, utf8('aad'), sealed.subarray(0, cut)), null)
  }
  t.equal(unseal(key, nonce, utf8('other'), sealed), null)
  t.end()
})

t.test('the reader gives back what was written, and malformed for anything else', (t) => {
  const whole = Buffer.concat([u8(7), u16(300), u32(70_000), u64(2 ** 53 - 1), lp(utf8('x'))])
  const reader = new Reader(whole)
  t.same([reader.u8(), reader.u16(), reader.u32(), reader.u64()], [7, 300, 70_000, 2 ** 53 - 1])
  t.same(reader.lp(1), utf8('x'))
  reader.end()
  t.throws(() => new Reader(lp(utf8('xx'))).lp(1), { code: 'malformed' }, 'a field over its bound')
  t.throws(() => new Reader(Buffer.alloc(8, 0xff)).u64(), { code: 'malformed' }, 'beyond 2^53')
  t.throws(() => new Reader(fromHex('8000')).varint(), { code: 'malformed' }, 'a varint longer than needed')
  t.throws(() => new Reader(fromHex('00')).end(), { code: 'malformed' })
  t.throws(() => new Reader(fromHex('0001')).zeros(), { code: 'malformed' })
  t.end()
})

t.test('random bytes never crash a reader or an unpacker', (t) => {
  const use = (r: Reader) => [r.varint(), r.u24(), r.u48(), r.lp16(9), r.lp8(), r.lp(64), r.rest()]
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      for (const parse of [() => use(new Reader(bytes)), () => unpack(bytes)]) {
        try {
          parse()
        } catch (error) {
          if (!isSottoError(error, 'malformed')) throw error
        }
      }
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('packed values explain themselves: no shared structures, no prototypes', (t) => {
  const value = { text: 'hello', bytes: Buffer.from([1, 2]), at: 1_790_000_000_000, list: [1, null, true] }
  t.same(unpack(pack(value)), value)
  t.same(pack({ a: 1 }), Buffer.from('81a16101', 'hex'), 'a plain map with string keys')
  const evil = Buffer.concat([Buffer.from('81a9', 'hex'), utf8('__proto__'), Buffer.from('81a16101', 'hex')])
  t.equal((unpack(evil) as { a?: number }).a, undefined)
  t.equal(({} as { a?: number }).a, undefined)
  t.end()
})

t.test('an error keeps its code, text and exit code across the local socket', (t) => {
  const error = new SottoError('bad-id', 'block 1, character 3')
  const back = errorFromCode(error.code, error.message)
  t.same([back.code, back.message, back.hint, back.exitCode], [error.code, error.message, error.hint, 2])
  t.equal(errorFromCode('no-such-code', 'x').code, 'internal')
  t.equal(errorFromCode('toString', 'x').code, 'internal')
  t.end()
})

t.test('a seed replays its bytes; a pool never gives the same ones twice', (t) => {
  t.same(seededRng('7').bytes(100), seededRng('7').bytes(100))
  t.notSame(seededRng('7').bytes(100), seededRng('8').bytes(100))
  const pool = pooledRng(64)
  const drawn = new Set(Array.from({ length: 50 }, () => toHex(pool.bytes(16))))
  t.equal(drawn.size, 50)
  t.end()
})
