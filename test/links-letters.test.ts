import t from 'tap'
import { constants, privateDecrypt } from 'node:crypto'
import fc from 'fast-check'
import { concat, u16, u32, u64, u8, utf8 } from '../src/foundation/bytes.js'
import { kdf, md5, seal, sha256, unseal } from '../src/foundation/crypto.js'
import { pack } from '../src/foundation/pack.js'
import { seededRng } from '../src/foundation/rng.js'
import type { LetterBody } from '../src/events/vocabulary/facts.js'
import { privateKey } from '../src/keys/rsa-secret.js'
import { unpackBody } from '../src/net/letters/bodies.js'
import { hintOf, letterTag } from '../src/net/letters/letter-format.js'
import {
  examineLetter,
  finishLetter,
  LetterCache,
  messageIdOf,
  sealLetter,
  type LetterKeys,
  type LetterOutcome,
  type Message,
} from '../src/net/letters/letter.js'
import { NOON, person, rowOf, type Person } from './fixtures/people.js'

const alice = person(0)
const bob = person(1)
const carol = person(2)
const rng = seededRng('letters')
const DAY = 86_400_000

const text = (words: string, over: Partial<Message> = {}): Message =>
  ({ kind: 'text', body: { text: words }, checkCode: rng.bytes(16), sentAt: NOON, ...over }) as Message

/** Alice writes to Bob, unless told otherwise. */
function write(message: Message, keys: LetterKeys | null = null, now = NOON, [from, to] = [alice, bob]) {
  return sealLetter({ vault: from.vault, row: rowOf(to), keys, message, now, rng })
}

interface Reading {
  readonly outcome: LetterOutcome
  /** Whether the private key was used. */
  readonly rsa: boolean
}

async function read(
  letter: Uint8Array,
  { cache = new LetterCache(), now = NOON, from = alice, to = bob } = {},
): Promise<Reading> {
  const examined = examineLetter({ vault: to.vault, row: rowOf(from), letter, now, cache })
  if (examined.kind === 'refused') return { outcome: examined, rsa: false }
  if (examined.kind === 'ready') return { outcome: examined.outcome, rsa: false }
  const secret = await to.vault.openOaep(examined.ciphertext, examined.label)
  return { outcome: finishLetter(examined.pending, secret), rsa: true }
}

/** Where the parts of a letter stand: version, hint, tag, rsa, index, check code, prekey, sealed. */
const AT = { hint: 1, tag: 17, rsa: 33, index: 1057, checkCode: 1058, prekey: 1074, sealed: 1106 }

t.test('SND-1 SND-5 a letter carries time stamp, check code, RSA-8192 and the MD5 of its plain text', (t) => {
  const message = text('hello Bob')
  const { letter, keys } = write(message)
  t.equal(letter.length, AT.sealed + 256 + 16 + 16, 'head, bucket, MD5, tag')
  t.same(letter.subarray(AT.checkCode, AT.prekey), message.checkCode)

  // By hand, step by step, with OpenSSL for RSA.
  const rsa = letter.subarray(AT.rsa, AT.index)
  t.equal(rsa.length, 1024)
  const oaepLabel = concat(utf8('sotto/letter-oaep/1'), alice.vault.address, bob.vault.address)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const secret = privateDecrypt(
    { key: privateKey(bob.identity.rsa), padding, oaepHash: 'sha256', oaepLabel },
    rsa,
  )
  t.same(secret, keys.secret)
  const inner = unsealByHand(letter, secret)
  const plain = inner.subarray(0, 256)
  t.same(inner.subarray(256), md5(plain), 'the MD5 of the plain text')
  t.equal(plain.readUInt8(0), 1)
  t.equal(plain.readUIntBE(1, 6), NOON, 'time stamp in milliseconds')
  t.same(plain.subarray(7, 23), message.checkCode)
  t.same(plain.subarray(23, 55), Buffer.from(alice.vault.address))
  t.equal(plain.readUInt8(55), 1)
  t.ok(plain.includes('hello Bob'))
  t.notOk(letter.includes('hello Bob'))
  t.end()
})

/** SPEC § 7.2, written out once more. */
function letterKeyByHand(letter: Buffer, secret: Uint8Array, [from, to] = [alice, bob]): Buffer {
  const shared = to.vault.staticDh(rowOf(from))
  const ends = concat(from.vault.address, to.vault.address, u32(0), u32(0))
  const rsaHash = sha256(letter.subarray(AT.rsa, AT.index))
  const lk = kdf(concat(shared, secret), 'sotto/letter-key/1', concat(ends, rsaHash))
  return kdf(lk, 'sotto/letter/1', letter.subarray(AT.index, AT.prekey))
}
function aadByHand(letter: Buffer): Buffer {
  return concat(letter.subarray(0, 1), letter.subarray(AT.rsa, AT.sealed))
}
function unsealByHand(letter: Buffer, secret: Uint8Array): Buffer {
  const key = letterKeyByHand(letter, secret)
  return unseal(key, new Uint8Array(12), aadByHand(letter), letter.subarray(AT.sealed))!
}

t.test('RCV-1 Bob opens it, its MD5 is right, and it is what Alice wrote', async (t) => {
  const bodies: LetterBody[] = [
    { kind: 'text', body: { text: 'zwölf Boxkämpfer 🥊\n' } },
    {
      kind: 'friend-accept',
      body: { nickname: 'A', token: rng.bytes(32), secret: rng.bytes(32), endpoints: ['10.0.0.1:80'] },
    },
    { kind: 'friend-secret', body: { secret: rng.bytes(32) } },
    {
      kind: 'profile',
      body: { nickname: 'Alice', avatar: concat(Buffer.from('ffd8ff', 'hex'), rng.bytes(50)) },
    },
    { kind: 'read', body: { ids: ['00'.repeat(16), 'fe'.repeat(16)] } },
    { kind: 'text', body: { text: 'x'.repeat(16 * 1024) } },
  ]
  const cache = new LetterCache()
  let keys: LetterKeys | null = null
  let rsa = 0
  for (const body of bodies) {
    const message: Message = { ...body, checkCode: rng.bytes(16), sentAt: NOON - 5 }
    const sealed = write(message, keys)
    keys = sealed.keys
    const reading = await read(sealed.letter, { cache })
    const messageId = messageIdOf(alice.vault.address, message.checkCode, message.sentAt)
    t.same(reading.outcome, { kind: 'opened', message: { ...message, messageId } }, body.kind)
    if (reading.rsa) rsa++
  }
  t.equal(rsa, 1, 'one private operation for all')
  t.throws(() => write(text('x'.repeat(16 * 1024 + 1))), { code: 'too-large' })
  t.throws(() => write({ ...text(''), kind: 'profile', body: { nickname: 'a\nb' } }), {
    code: 'too-large',
  })
})

t.test('SND-1 a resend is another letter with the next index and the same message ID', async (t) => {
  const message = text('once')
  const first = write(message)
  const second = write(message, first.keys)
  t.same([first.letter[AT.index], second.letter[AT.index]], [0, 1])
  t.notSame(first.letter.subarray(AT.sealed), second.letter.subarray(AT.sealed))
  const cache = new LetterCache()
  const [one, two] = [await read(first.letter, { cache }), await read(second.letter, { cache })]
  t.same(one.outcome, two.outcome)
  t.match(one.outcome, { kind: 'opened', message: { messageId: /^[0-9a-f]{32}$/ } })
  t.same([one.rsa, two.rsa], [true, false])
})

t.test('an RSA secret serves 64 letters and ten minutes, for one identity, and is then drawn anew', (t) => {
  let keys = write(text('0')).keys
  const { rsa } = keys
  for (let index = 1; index < 64; index++) keys = write(text('n'), keys).keys
  t.same([keys.nextIndex, keys.rsa], [64, rsa])
  t.same(write(text('n'), keys).letter[AT.index], 0)
  t.notSame(write(text('n'), keys).keys.rsa, rsa)

  const young = write(text('0')).keys
  t.same(write(text('n'), young, NOON + 599_999).keys.rsa, young.rsa)
  t.notSame(write(text('n'), young, NOON + 600_000).keys.rsa, young.rsa)
  t.notSame(write(text('n'), young, NOON - 1).keys.rsa, young.rsa, 'a clock set back')
  t.notSame(write(text('n'), young, NOON, [alice, carol]).keys.rsa, young.rsa, 'another contact')
  t.end()
})

t.test('the receiver’s memory of RSA secrets is bounded, expires, and is bound to the sender', (t) => {
  const cache = new LetterCache(2)
  const [a, b] = [alice.vault.address, bob.vault.address]
  const secret = rng.bytes(32)
  cache.keep(a, u8(1), secret, NOON)
  t.same(cache.find(a, u8(1), NOON), secret)
  t.equal(cache.find(b, u8(1), NOON), null, 'another sender')
  cache.keep(a, u8(2), secret, NOON)
  cache.keep(a, u8(3), secret, NOON)
  t.equal(cache.size, 2)
  t.equal(cache.find(a, u8(1), NOON), null, 'the oldest went')
  t.ok(cache.find(a, u8(3), NOON + 600_000))
  t.equal(cache.find(a, u8(3), NOON + 720_000), null, 'expired')
  t.equal(cache.size, 0)
  cache.keep(a, u8(4), secret, NOON)
  cache.clear()
  t.equal(cache.size, 0)
  t.end()
})

t.test('nothing but the pair’s own letters reaches the private key', async (t) => {
  const { letter } = write(text('hello'))
  const refused = async (bytes: Uint8Array, reason: string, what: string, how = {}) => {
    const { outcome, rsa } = await read(bytes, how)
    t.same([outcome, rsa], [{ kind: 'refused', reason }, false], what)
  }
  for (const at of [AT.hint, AT.tag, AT.rsa, AT.rsa + 1023, AT.index, AT.checkCode, AT.prekey, AT.sealed]) {
    await refused(bent(letter, at), 'not-the-pair', `byte ${at}`)
  }
  await refused(bent(letter, letter.length - 1), 'not-the-pair', 'the last byte')
  await refused(letter.subarray(0, -1), 'not-the-pair', 'cut')
  await refused(bent(letter, 0), 'not-a-letter', 'another version')
  await refused(letter.subarray(0, 1105), 'not-a-letter', 'no inside')
  await refused(new Uint8Array(0), 'not-a-letter', 'empty')
  await refused(Buffer.alloc(33_000, 1), 'not-a-letter', 'oversize')
  await refused(letter, 'not-the-pair', 'reflected to Alice', { from: bob, to: alice })
  await refused(letter, 'not-the-pair', 'taken for Carol’s', { from: carol })
  await refused(letter, 'not-the-pair', 'passed on to Carol', { to: carol })
  await refused(letter, 'not-the-pair', 'three days later', { now: NOON + 3 * DAY })
  t.equal((await read(letter, { now: NOON + DAY })).outcome.kind, 'opened', 'a day later')
  t.equal((await read(letter, { now: NOON - DAY })).outcome.kind, 'opened', 'a day earlier')
})

function bent(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}

/** The letter with other insides, correctly tagged: what one of the pair itself could make. */
function retagged(letter: Buffer, change: (bytes: Buffer) => Buffer, now = NOON): Buffer {
  const tagged = change(Buffer.from(letter)).subarray(AT.rsa)
  const pairKey = bob.vault.pairKey(rowOf(alice))
  const [from, to] = [alice.vault.address, bob.vault.address]
  const hint = hintOf(pairKey, from, to, Math.floor(now / DAY))
  return concat(u8(1), hint, letterTag(pairKey, from, to, tagged), tagged)
}

/** The letter with another plain text, sealed under the right key. */
function resealed(letter: Buffer, secret: Uint8Array, change: (inner: Buffer) => Buffer): Buffer {
  const inner = change(unsealByHand(letter, secret))
  const sealed = seal(letterKeyByHand(letter, secret), new Uint8Array(12), aadByHand(letter), inner)
  return retagged(letter, (bytes) => concat(bytes.subarray(0, AT.sealed), sealed))
}

/** With the MD5 made right again. */
const consistently = (change: (plain: Buffer) => Buffer) => (inner: Buffer) => {
  const plain = change(Buffer.from(inner.subarray(0, -16)))
  return concat(plain, md5(plain))
}

t.test('an opening failure and a true MD5 mismatch are one: MD5 incorrect', async (t) => {
  const { letter, keys } = write(text('hello'))
  const set =
    (at: number, ...values: number[]) =>
    (plain: Buffer) => (plain.set(values, at), plain)
  const damaged: [string, Buffer][] = [
    ['RSA', retagged(letter, (bytes) => bent(bytes, AT.rsa + 500))],
    ['AEAD', retagged(letter, (bytes) => bent(bytes, AT.sealed + 5))],
    ['index', retagged(letter, (bytes) => bent(bytes, AT.index))],
    ['outer check code', retagged(letter, (bytes) => bent(bytes, AT.checkCode))],
    ['prekey', retagged(letter, (bytes) => bent(bytes, AT.prekey))],
    ['MD5', resealed(letter, keys.secret, (inner) => bent(inner, inner.length - 1))],
    ['plain text under the MD5', resealed(letter, keys.secret, (inner) => bent(inner, 60))],
    [
      'inner check code',
      resealed(
        letter,
        keys.secret,
        consistently((plain) => bent(plain, 7)),
      ),
    ],
    [
      'sender',
      resealed(
        letter,
        keys.secret,
        consistently((plain) => bent(plain, 23)),
      ),
    ],
    ['version', resealed(letter, keys.secret, consistently(set(0, 2)))],
    ['body length', resealed(letter, keys.secret, consistently(set(56, 0, 0, 255, 255)))],
    ['body', resealed(letter, keys.secret, consistently(set(60, 0xc1)))],
    ['padding', resealed(letter, keys.secret, consistently(set(255, 1)))],
    ['shorter than an MD5', resealed(letter, keys.secret, (inner) => inner.subarray(0, 5))],
  ]
  const cache = new LetterCache()
  for (const [what, bytes] of damaged) {
    // The cache spares the private key where the RSA part is untouched.
    t.same((await read(bytes, { cache })).outcome, { kind: 'md5-incorrect' }, what)
  }
  t.equal((await read(letter, { cache })).outcome.kind, 'opened', 'the letter itself is fine')
  const index64 = retagged(letter, (bytes) => bytes.fill(64, AT.index, AT.checkCode))
  t.match((await read(index64)).outcome, { kind: 'refused', reason: 'not-a-letter' }, 'the index is bounded')
})

t.test('letters are refused after 60 days; the future is let through; new kinds are ignored', async (t) => {
  const cache = new LetterCache()
  const sealed = write(text('old', { sentAt: NOON - 60 * DAY - 1 }))
  t.same((await read(sealed.letter, { cache })).outcome, { kind: 'refused', reason: 'too-old' })
  const justIn = write(text('old', { sentAt: NOON - 60 * DAY }), sealed.keys)
  t.equal((await read(justIn.letter, { cache })).outcome.kind, 'opened')
  const ahead = write(text('ahead', { sentAt: NOON + 365 * DAY }), justIn.keys)
  t.match((await read(ahead.letter, { cache })).outcome, { message: { sentAt: NOON + 365 * DAY } })
  const recall = consistently((plain) => (plain.set([6], 55), plain))
  const reserved = resealed(ahead.letter, sealed.keys.secret, recall)
  t.same((await read(reserved, { cache })).outcome, { kind: 'refused', reason: 'unknown-kind' })
})

t.test('FW-2 Bob cannot pass Alice’s letter on to Carol as written to her', async (t) => {
  const { letter, keys } = write(text('only for Bob'))
  t.equal((await read(letter)).outcome.kind, 'opened')
  // He knows the secret, the plain text and his own pair key with Carol, and seals it to her in Alice's name.
  const forCarol = write(text('only for Bob'), null, NOON, [bob, carol])
  const inner = unsealByHand(letter, keys.secret)
  const key = letterKeyByHand(forCarol.letter, forCarol.keys.secret, [bob, carol])
  const sealed = seal(key, new Uint8Array(12), aadByHand(forCarol.letter), inner)
  const tagged = concat(forCarol.letter.subarray(AT.rsa, AT.sealed), sealed)
  const pairKey = bob.vault.pairKey(rowOf(carol))
  const [from, to] = [bob.vault.address, carol.vault.address]
  const hint = forCarol.letter.subarray(AT.hint, AT.tag)
  const forged = concat(u8(1), hint, letterTag(pairKey, from, to, tagged), tagged)
  t.match((await read(forged, { to: carol })).outcome, { reason: 'not-the-pair' }, 'as Alice’s')
  t.same((await read(forged, { from: bob, to: carol })).outcome, { kind: 'md5-incorrect' }, 'as his own')
})

t.test('FW-4 letters need a policy row too', (t) => {
  const vault = bob.vault
  const { letter } = write(text('hello'))
  for (const state of ['blocked', 'incoming'] as const) {
    const row = rowOf(alice, { state })
    t.same(examineLetter({ vault, row, letter, now: NOON, cache: new LetterCache() }), {
      kind: 'refused',
      reason: 'denied',
    })
    t.throws(() => sealLetter({ vault, row, keys: null, message: text(''), now: NOON, rng }), {
      code: 'gate-denied',
    })
  }
  t.end()
})

t.test('FW-3 bodies are bounded: random bytes and wrong shapes', (t) => {
  const wrong: [number, unknown][] = [
    [1, {}],
    [1, { text: 7 }],
    [1, { text: 'x'.repeat(16 * 1024 + 1) }],
    [1, { text: 'é'.repeat(8 * 1024 + 1) }],
    [2, { nickname: 'A', token: rng.bytes(32), secret: rng.bytes(31), endpoints: [] }],
    [2, { nickname: 'A', token: rng.bytes(32), secret: rng.bytes(32), endpoints: new Array(17).fill('a:1') }],
    [3, { secret: 'x'.repeat(32) }],
    [4, { nickname: 'x'.repeat(65) }],
    [4, { nickname: 'A\u200dlice' }],
    [4, { nickname: `A${'\u0301'.repeat(5)}` }],
    [4, { nickname: 'A', avatar: concat(Buffer.from('ffd8ff', 'hex'), Buffer.alloc(8190)) }],
    [4, { nickname: 'A', avatar: u16(1) }],
    [5, { ids: [rng.bytes(15)] }],
    [5, { ids: Array.from({ length: 257 }, () => rng.bytes(16)) }],
    [5, [1]],
    [5, null],
  ]
  for (const [code, body] of wrong) t.throws(() => unpackBody(code, pack(body)), { code: 'malformed' })
  t.same(
    unpackBody(1, pack({ text: '', more: 1 })),
    { kind: 'text', body: { text: '' } },
    'unknown fields are dropped',
  )
  t.equal(unpackBody(6, u64(0)), null)
  const vault = bob.vault
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1400 }), fc.boolean(), (noise, versioned) => {
      const letter = versioned ? concat(u8(1), noise) : noise
      const row = rowOf(alice)
      return examineLetter({ vault, row, letter, now: NOON, cache: new LetterCache() }).kind === 'refused'
    }),
    { numRuns: 100 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.uint8Array({ maxLength: 60 }), (code, noise) => {
      t.throws(() => unpackBody(code, noise), { code: 'malformed' })
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.teardown(() => [alice, bob, carol].forEach(({ vault }: Person) => vault.close()))
