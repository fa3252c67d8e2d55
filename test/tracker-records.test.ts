import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import * as fc from 'fast-check'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { concat, equalBytes, fromHex, toHex } from '../src/foundation/bytes.js'
import { isSottoError } from '../src/foundation/errors.js'
import { seededRng } from '../src/foundation/rng.js'
import { verifyEd25519 } from '../src/keys/ed25519.js'
import { idOf } from '../src/keys/user-id.js'
import { blindPublic, blindSecret, blindSign, isBlindedKey, recordKey } from '../src/net/tracker/blinding.js'
import { addressBytes, decodeEndpoint, encodeEndpoint } from '../src/net/tracker/endpoint.js'
import { askFor, type LookupMemory, lookupKeys, newest, readAnswer } from '../src/net/tracker/lookup.js'
import {
  CHANGE_MS,
  NO_SECRET,
  PERIOD_MS,
  periodAt,
  periodOffset,
  periodsToAsk,
  periodStart,
  periodsToPublish,
} from '../src/net/tracker/period.js'
import { learnOutcome, ownRecords, type SequenceMemory } from '../src/net/tracker/publish.js'
import {
  blindOwnPlace,
  blindPlace,
  buildRecord,
  openRecord,
  type PutRecord,
  VALUE_BYTES,
  verifyRecord,
} from '../src/net/tracker/record.js'
import { formatTrackerUrl, parseTrackerUrl } from '../src/net/tracker/url.js'
import { type Person, person } from './fixtures/tracker-people.js'
import { NOON } from './fixtures/tracker-world.js'

interface Vector {
  readonly seed: string
  readonly public: string
  readonly param: string
  readonly blindedPublic: string
}
const VECTORS = JSON.parse(readFileSync('test/fixtures/vectors/ed25519-blinding.json', 'utf8')) as {
  readonly vectors: readonly Vector[]
}
const alice = person('Alice')
const SECRET = alice.self.friendSecret!

/** A record of Alice's for a period, as she would publish it. */
function made(kind: 'public' | 'friends' = 'friends', period = 20_000, seq = NOON): PutRecord {
  const secret = kind === 'public' ? NO_SECRET : SECRET
  const place = blindOwnPlace(
    { kind, address: alice.vault.address, secret, period },
    alice.vault.addressSeed(),
  )
  const body = {
    ...{ status: 'online' as const, at: NOON, introduction: null, questions: false, device: null },
    endpoints: ['198.51.100.4:80', '[2001:db8::5]:443', 'alice.example:8080'],
  }
  return buildRecord(place, { seq, ttl: 60, body }, seededRng(`record ${kind} ${period} ${seq}`))
}

t.test('blinding: the vectors of tor, from both sides', (t) => {
  for (const { seed, public: address, param, blindedPublic } of VECTORS.vectors) {
    t.equal(toHex(blindPublic(fromHex(address), fromHex(param))), blindedPublic)
    const secret = blindSecret(fromHex(seed), fromHex(param))
    t.equal(toHex(secret.public), blindedPublic)
    const message = Buffer.from('what is signed')
    const signature = blindSign(secret, message, seededRng(param))
    t.ok(verifyEd25519(fromHex(blindedPublic), message, signature), 'openssl accepts the blinded signature')
  }
  t.equal(VECTORS.vectors.length, 8)
  t.end()
})

t.test('blinding: equal bytes signed twice take different nonces, and both verify', (t) => {
  const place = { kind: 'friends' as const, address: alice.vault.address, secret: SECRET, period: 7 }
  const { signer } = blindOwnPlace(place, alice.vault.addressSeed())
  const rng = seededRng('nonces')
  const first = blindSign(signer, Buffer.from('twice'), rng)
  const second = blindSign(signer, Buffer.from('twice'), rng)
  t.notOk(equalBytes(first.subarray(0, 32), second.subarray(0, 32)), 'the commitment R differs')
  for (const signature of [first, second]) t.ok(verifyEd25519(signer.public, Buffer.from('twice'), signature))
  const next = blindOwnPlace({ ...place, period: 8 }, alice.vault.addressSeed()).signer
  t.ok(
    equalBytes(next.prefix, signer.prefix),
    'the prefix repeats across periods: the random part is what saves the key',
  )
  t.end()
})

t.test('blinding: keys of consecutive periods, kinds and secrets have nothing in common', (t) => {
  const { address } = alice.vault
  const keys = [
    ...[1, 2, 3].map((period) => blindPlace({ kind: 'public', address, secret: NO_SECRET, period })),
    blindPlace({ kind: 'friends', address, secret: SECRET, period: 1 }),
    blindPlace({ kind: 'friends', address, secret: Buffer.alloc(32), period: 1 }),
    blindPlace({ kind: 'questions', address, secret: NO_SECRET, period: 1 }),
  ]
  t.equal(new Set(keys.map((place) => toHex(place.blinded))).size, keys.length)
  t.equal(new Set(keys.map((place) => toHex(place.key))).size, keys.length)
  t.same(recordKey(keys[0]!.blinded), keys[0]!.key)
  t.end()
})

t.test(
  'points of small order and encodings that are not canonical are refused, as address and as blinded key',
  (t) => {
    const field = 2n ** 255n - 19n
    const nonCanonical = [0n, 1n, 3n].map((y) => littleEndian(field + y))
    const negativeZero = ['01', 'ec'].map((low) =>
      fromHex(low + (low === '01' ? '00' : 'ff').repeat(30) + (low === '01' ? '80' : 'ff')),
    )
    for (const bytes of [...ED25519_TORSION_SUBGROUP.map(fromHex), ...nonCanonical, ...negativeZero]) {
      t.notOk(isBlindedKey(bytes), toHex(bytes))
      t.throws(() => blindPublic(bytes, Buffer.alloc(32)), { code: 'malformed' })
      t.notOk(verifyRecord({ ...made(), blinded: bytes }))
    }
    t.ok(isBlindedKey(made().blinded))
    t.notOk(isBlindedKey(made().blinded.subarray(1)))
    // With a small-order key, R = identity and S = 0 satisfy the equation whatever is signed, in verifiers that allow it.
    const free = concat(fromHex(`01${'00'.repeat(31)}`), Buffer.alloc(32))
    t.notOk(verifyRecord({ ...made(), blinded: fromHex(`01${'00'.repeat(31)}`), signature: free }))
    t.end()
  },
)

t.test('a record: opens for its place alone, and one flipped bit anywhere is seen', (t) => {
  const record = made()
  const place = blindPlace({ kind: 'friends', address: alice.vault.address, secret: SECRET, period: 20_000 })
  t.ok(verifyRecord(record))
  t.equal(record.value.length, VALUE_BYTES)
  t.match(openRecord(place, record.value), { status: 'online', at: NOON, introduction: null })
  t.same(openRecord(place, record.value)?.endpoints, [
    '198.51.100.4:80',
    '[2001:db8::5]:443',
    'alice.example:8080',
  ])
  for (const change of [{ period: 20_001 }, { secret: Buffer.alloc(32) }, { kind: 'public' as const }]) {
    t.equal(openRecord(blindPlace({ ...place, ...change }), record.value), null)
  }
  for (const field of ['value', 'signature', 'anchor', 'blinded'] as const) {
    for (let bit = 0; bit < record[field].length * 8; bit += field === 'value' ? 7 : 3) {
      if (verifyRecord({ ...record, [field]: flipped(record[field], bit) })) t.fail(`${field}, bit ${bit}`)
    }
  }
  t.notOk(verifyRecord({ ...record, seq: record.seq + 1 }))
  t.notOk(verifyRecord({ ...record, ttl: record.ttl + 1 }))
  t.notOk(verifyRecord({ ...record, period: record.period + 1 }))
  t.end()
})

t.test('a record holds as many endpoints as fit; its length says nothing', (t) => {
  const many = person('Many', { endpoints: Array.from({ length: 40 }, (_, i) => `203.0.113.${i}:1000`) })
  const none = person('None', { endpoints: [] })
  for (const who of [many, none]) {
    for (const record of ownRecords(who.self, who.vault, NOON, seededRng('x'))) {
      t.equal(record.value.length, VALUE_BYTES)
    }
  }
  const [found] = foundOf(many, SECRETS(many), NOON)
  t.equal(found?.endpoints.length, 11)
  t.same(found?.endpoints, many.self.endpoints.slice(0, 11))
  t.end()
})

t.test(
  'the friends record tells status and endpoints to those who have the secret, and to nobody else',
  (t) => {
    const offline = person('Alice', { status: 'offline' })
    t.match(foundOf(alice, SECRET, NOON), [
      { status: 'online', endpoints: alice.self.endpoints, introduction: null },
    ])
    t.match(foundOf(offline, SECRET, NOON), [{ status: 'offline' }])
    t.same(foundOf(alice, Buffer.alloc(32, 1), NOON), [null], 'a wrong secret asks for a key nobody put')
    t.end()
  },
)

t.test('the public record: introduction key and endpoints, no status; none when not discoverable', (t) => {
  const introduction = alice.self.introductionKeys[0]!.public
  t.match(foundOf(alice, null, NOON), [{ status: 'unknown', endpoints: alice.self.endpoints }])
  t.same(foundOf(alice, null, NOON)[0]?.introduction, introduction)
  const hidden = person('Alice', { discoverable: false })
  t.same(kindsOf(hidden), ['friends'])
  t.same(kindsOf(person('Alice', { introductionKeys: [] })), ['friends'])
  t.same(kindsOf(person('Alice', { friendSecret: null })), ['public'])
  t.same(kindsOf(alice), ['public', 'friends'])
  t.end()
})

t.test(
  'periods: current and, within an hour of the change, the next; readers with clocks an hour off still find it',
  (t) => {
    const offset = periodOffset('friends', alice.vault.address, SECRET)
    const change = periodStart(periodAt(NOON, offset) + 1, offset)
    const period = periodAt(change - 1, offset)
    t.equal(periodAt(change, offset), period + 1)
    t.same(periodsToPublish(change - CHANGE_MS - 1, offset), [period])
    t.same(periodsToPublish(change - CHANGE_MS, offset), [period, period + 1])
    t.same(periodsToPublish(change - 1, offset), [period, period + 1])
    t.same(periodsToPublish(change, offset), [period + 1])
    t.same(periodsToAsk(change - CHANGE_MS - 1, offset), [period])
    t.same([...periodsToAsk(change + 5, offset)].sort(), [period, period + 1])
    t.same(periodsToAsk(change + CHANGE_MS, offset), [period + 1])
    for (const skew of [-CHANGE_MS, 0, CHANGE_MS]) {
      for (const at of [change - 1, change, change - CHANGE_MS / 2, change + CHANGE_MS / 2]) {
        const published = periodsToPublish(at, offset)
        const asked = periodsToAsk(at + skew, offset)
        t.ok(
          asked.some((one) => published.includes(one)),
          `skew ${skew}, ${at - change} from the change`,
        )
      }
    }
    const offsets = ['Alice', 'Bob', 'Carol'].map((name) =>
      periodOffset('public', person(name).vault.address, NO_SECRET),
    )
    t.equal(new Set(offsets).size, 3, 'everyone changes at a time of their own')
    t.ok(offsets.every((one) => one >= 0 && one < PERIOD_MS))
    const both = ownRecords(alice.self, alice.vault, change - 1, seededRng('y'), ['friends'])
    t.same(
      both.map((record) => record.period),
      [period, period + 1],
    )
    t.same(
      both.map((record) => record.ttl),
      [61, 61 + 24 * 60],
      'each until an hour after its period',
    )
    t.end()
  },
)

t.test('Mallory the tracker cannot pass off other records: other period, key, tampered, rolled back', (t) => {
  const ask = lookupKeys(alice.self.id, SECRET, NOON)[0]!
  const memory: LookupMemory = new Map()
  const put = (seq: number) => made('friends', ask.period, seq)
  const tell = (record: PutRecord) => readAnswer(memory, ask, { kind: 'record', record })
  t.equal(tell({ ...put(5), value: flipped(put(5).value, 9) }), null)
  t.equal(tell(made('friends', ask.period + 1, 5)), null, 'of another period')
  t.equal(tell(made('public', ask.period, 5)), null, 'of another kind')
  t.equal(memory.size, 0)
  t.equal(askFor(memory, ask).known, 0)
  t.match(tell(put(5)), { status: 'online' })
  t.match(tell(put(9)), { status: 'online' })
  t.equal(tell(put(8)), null, 'rolled back')
  t.match(tell(put(9)), { status: 'online' }, 'the same again is no rollback')
  t.equal(askFor(memory, ask).known, 9)
  t.match(readAnswer(memory, ask, { kind: 'unchanged' }), { status: 'online' })
  t.equal(readAnswer(memory, ask, { kind: 'unknown' }), null)
  t.equal(readAnswer(new Map(), ask, { kind: 'unchanged' }), null, 'unchanged from what?')
  t.throws(() => lookupKeys('NOT-AN-ID', null, NOON), { code: 'bad-id' })
  t.end()
})

t.test('of what several trackers tell, the newest counts', (t) => {
  const found = (at: number) => ({
    status: 'online' as const,
    at,
    endpoints: [],
    introduction: null,
    device: null,
  })
  t.equal(newest([null, found(3), found(7), null, found(5)])?.at, 7)
  t.equal(newest([null]), null)
  t.end()
})

t.test('sequence numbers: max(last + 1, now), and past what a tracker proves to hold', (t) => {
  const last: SequenceMemory = new Map()
  const publish = (now: number) =>
    ownRecords(alice.self, alice.vault, now, seededRng('z'), ['friends'], last)[0]!
  t.equal(publish(NOON).seq, NOON)
  t.equal(publish(NOON).seq, NOON + 1)
  t.equal(publish(NOON - 5000).seq, NOON + 2, 'a clock set back')
  t.equal(publish(NOON + 9000).seq, NOON + 9000)
  const put = publish(NOON)
  const held = made('friends', put.period, NOON + 1_000_000)
  t.ok(learnOutcome(last, put, { kind: 'stale', record: held }))
  t.equal(publish(NOON).seq, NOON + 1_000_001)
  const lie = { ...held, seq: 2 ** 50 }
  t.notOk(learnOutcome(last, put, { kind: 'stale', record: lie }), 'what we did not sign teaches nothing')
  t.notOk(learnOutcome(last, put, { kind: 'stored' }))
  t.equal(publish(NOON).seq, NOON + 1_000_002)
  t.end()
})

t.test('TRG-2 a tracker URL carries the pinned key: every wrong character is refused', (t) => {
  const key = fromHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')
  for (const [host, written] of [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:0::1', '[2001:db8::1]'],
    ['Tracker.Example', 'tracker.example'],
  ] as const) {
    const text = formatTrackerUrl({ host, port: 6969, key })
    t.ok(text.startsWith(`sotto-tracker://${written}:6969/`), text)
    const parsed = parseTrackerUrl(text)
    t.equal(parsed.port, 6969)
    t.ok(equalBytes(parsed.key, key))
    t.equal(formatTrackerUrl(parsed), text)
  }
  const good = formatTrackerUrl({ host: '192.0.2.7', port: 6969, key })
  const start = good.lastIndexOf('/') + 1
  for (let i = start; i < good.length; i++) {
    const wrong = good.slice(0, i) + (good[i] === 'Q' ? 'R' : 'Q') + good.slice(i + 1)
    t.throws(() => parseTrackerUrl(wrong), { code: 'bad-tracker-url' })
  }
  const id = idOf(alice.vault.address)
  const zero = formatTrackerUrl({ host: '192.0.2.7', port: 6969, key: new Uint8Array(32) })
  for (const wrong of [
    '',
    'http://192.0.2.7:6969/x',
    good.replace(':6969', ''),
    good.replace('6969', '0'),
    zero,
  ]) {
    t.throws(() => parseTrackerUrl(wrong), { code: 'bad-tracker-url' }, wrong)
  }
  t.throws(
    () => parseTrackerUrl(`sotto-tracker://192.0.2.7:6969/${id}`),
    { code: 'bad-tracker-url' },
    'a user id is no key',
  )
  t.ok(equalBytes(parseTrackerUrl(` ${good.toLowerCase()} `).key, key))
  t.end()
})

t.test('endpoints: one way of writing each, and random bytes are an endpoint or malformed', (t) => {
  const same = [
    '192.0.2.1:1',
    '[::1]:65535',
    '[2001:db8::ff00:42:8329]:443',
    'a.example:80',
    '[fe80::1:2:3:4]:9',
  ]
  for (const text of same) t.equal(decodeEndpoint(encodeEndpoint(text)), text)
  t.equal(decodeEndpoint(encodeEndpoint('[2001:DB8:0:0:0:0:0:1]:80')), '[2001:db8::1]:80')
  t.equal(decodeEndpoint(encodeEndpoint('[::ffff:192.0.2.1]:80')), '192.0.2.1:80')
  t.equal(decodeEndpoint(encodeEndpoint('Host.Example:80')), 'host.example:80')
  for (const text of [
    '',
    '192.0.2.1',
    '192.0.2.1:0',
    '1.2.3:80',
    'a b:80',
    '[::1:80',
    '::1:80',
    'a:99999',
    '[fe80::1%eth0]:1',
  ]) {
    t.throws(() => encodeEndpoint(text), { code: 'bad-endpoint' }, text)
  }
  t.equal(addressBytes('fe80::1%eth0').length, 16)
  t.equal(addressBytes('::ffff:127.0.0.1').length, 4)
  const ipv6 = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(ipv6, (groups) => {
      const bytes = encodeEndpoint(`[${groups.map((group) => group.toString(16)).join(':')}]:7`)
      return equalBytes(encodeEndpoint(decodeEndpoint(bytes)), bytes)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        return equalBytes(encodeEndpoint(decodeEndpoint(bytes)), bytes) || bytes[0] === 6
      } catch (error) {
        return isSottoError(error, 'malformed')
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

function SECRETS(who: Person): Uint8Array {
  return who.self.friendSecret!
}

function kindsOf(who: Person): string[] {
  return ownRecords(who.self, who.vault, NOON, seededRng('kinds')).map((record) => record.kind)
}

/** What someone who asks with this secret learns from what `who` publishes at `now`. */
function foundOf(who: Person, secret: Uint8Array | null, now: number) {
  const records = ownRecords(who.self, who.vault, now, seededRng('found'))
  return lookupKeys(who.self.id, secret, now).map((ask) => {
    const record = records.find((one) => equalBytes(recordKey(one.blinded), ask.key))
    return readAnswer(new Map(), ask, record === undefined ? { kind: 'unknown' } : { kind: 'record', record })
  })
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = Buffer.from(bytes)
  out.writeUInt8(out.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return out
}

function littleEndian(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
}
