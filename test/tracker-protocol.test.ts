import * as fc from 'fast-check'
import t from 'tap'
import { concat, equalBytes, toHex, u8 } from '../src/foundation/bytes.js'
import { KEY_BYTES, seal, x25519Public } from '../src/foundation/crypto.js'
import { seededRng } from '../src/foundation/rng.js'
import { recordKey } from '../src/net/tracker/blinding.js'
import { MAX_KEYS, MAX_TICKETS } from '../src/net/tracker/client.js'
import {
  encodeHello,
  helloKey,
  MAX_DATAGRAM_BYTES,
  openReply,
  openWelcome,
  sealRequest,
  type SessionKeys,
  sessionKeys,
  TYPE,
} from '../src/net/tracker/datagram.js'
import { askFor, type Found, type LookupMemory, lookupKeys, readAnswer } from '../src/net/tracker/lookup.js'
import type { PutReply, TrackerReply, TrackerRequest } from '../src/net/tracker/operations.js'
import { PERIOD_MS, periodOffset } from '../src/net/tracker/period.js'
import { learnOutcome, type OwnRecord, ownRecords, type SequenceMemory } from '../src/net/tracker/publish.js'
import { blindOwnPlace, buildRecord, type PutRecord } from '../src/net/tracker/record.js'
import { DEFAULT_ALLOWANCES } from '../tracker/admission.js'
import { RecordTable } from '../tracker/record-table.js'
import type { Peer } from '../tracker/sessions.js'
import { replay, stepTracker, type TrackerEffect } from '../tracker/state.js'
import { type Person, person } from './fixtures/tracker-people.js'
import { NOON, type Outcome, SMALL_LIMITS, TrackerWorld } from './fixtures/tracker-world.js'

const HOME: Record<'alice' | 'bob' | 'mallory', Peer> = {
  alice: { address: '198.51.100.1', port: 1001 },
  bob: { address: '203.0.113.2', port: 1002 },
  mallory: { address: '2001:db8:bad::3', port: 1003 },
}
const alice = person('Alice')
const bob = person('Bob')
const HOUR = 3_600_000

function worldOf(seed: string, limits = SMALL_LIMITS): TrackerWorld {
  const world = new TrackerWorld(seed, limits)
  for (const [name, peer] of Object.entries(HOME)) world.join(name, peer)
  return world
}

function publish(world: TrackerWorld, who: Person, last: SequenceMemory = new Map()): PutReply['kind'][] {
  const name = who.self.nickname.toLowerCase()
  const outcomes = ownRecords(who.self, who.vault, world.now, world.rng, undefined, last).flatMap(
    (record, ticket) => world.feed(name, { kind: 'put', ticket, record }),
  )
  return outcomes.map((one) => (one.kind === 'put-done' ? (one.outcome.kind as PutReply['kind']) : 'full'))
}

/** What `asker` learns of `who` with that secret. */
function find(
  world: TrackerWorld,
  asker: string,
  who: Person,
  secret: Uint8Array | null,
  memory: LookupMemory = new Map(),
) {
  const asks = lookupKeys(who.self.id, secret, world.now)
  const [done] = world.feed(asker, {
    kind: 'query',
    ticket: 99,
    keys: asks.map((ask) => askFor(memory, ask)),
  })
  if (done?.kind !== 'query-done') return done?.kind
  return (
    asks.map((ask, i) => readAnswer(memory, ask, done.answers[i]!)).find((found) => found !== null) ?? null
  )
}

/** A session of one's own, for those who do not use the client. */
function session(world: TrackerWorld, from: Peer): SessionKeys {
  const secret = world.rng.bytes(KEY_BYTES)
  const e = x25519Public(secret)
  const [answer] = world.throwAt(encodeHello(e), from)
  const tracker = world.tracker.public
  const welcome = openWelcome(helloKey(secret, tracker, e, tracker), e, answer?.bytes ?? new Uint8Array(0))
  return sessionKeys(welcome!.session, welcome!.sessionKey)
}

function ask(
  world: TrackerWorld,
  keys: SessionKeys,
  from: Peer,
  request: TrackerRequest,
): TrackerReply | null {
  const [answer] = world.throwAt(sealRequest(keys, 7, request, world.rng), from)
  return answer === undefined ? null : (openReply(keys, answer.bytes)?.reply ?? null)
}

function put(world: TrackerWorld, keys: SessionKeys, from: Peer, record: PutRecord): PutReply | null {
  const reply = ask(world, keys, from, { op: 'put', record })
  return reply?.op === 'put' ? reply.outcome : null
}

/** Records of people nobody knows, signed properly. */
function stranger(n: number, seq = NOON, ttl = 60): PutRecord {
  const who = person(`stranger ${n}`)
  const place = { kind: 'public' as const, address: who.vault.address, secret: new Uint8Array(0), period: 1 }
  const body = {
    status: 'offline' as const,
    at: NOON,
    introduction: null,
    questions: false,
    device: null,
    endpoints: [],
  }
  const seed = who.vault.addressSeed()
  return buildRecord(blindOwnPlace(place, seed), { seq, ttl, body }, seededRng(`stranger ${n} ${seq}`))
}

t.test(
  'TRK-5 the two kinds are stored, fetched by those who know the place, and expire; the third is reserved',
  (t) => {
    const world = worldOf('kinds')
    t.same(publish(world, alice), ['stored', 'stored'])
    t.equal(world.tracker.table.size, 2)
    t.match(find(world, 'bob', alice, alice.self.friendSecret), {
      status: 'online',
      endpoints: alice.self.endpoints,
    })
    t.match(find(world, 'bob', alice, null), { status: 'unknown', introduction: Uint8Array })
    const seen = find(world, 'bob', alice, bob.self.friendSecret)
    t.equal(seen, null, 'under a wrong secret there is nothing')
    const questions = {
      kind: 'questions' as const,
      address: alice.vault.address,
      secret: new Uint8Array(0),
      period: 1,
    }
    const body = {
      status: 'offline' as const,
      at: NOON,
      introduction: null,
      questions: true,
      device: null,
      endpoints: [],
    }
    const reserved = buildRecord(
      blindOwnPlace(questions, alice.vault.addressSeed()),
      { seq: 1, ttl: 1, body },
      world.rng,
    )
    t.equal(
      put(world, session(world, HOME.alice), HOME.alice, reserved)?.kind,
      'stored',
      'a place of its own is kept for it',
    )
    t.equal(world.tracker.table.size, 3)
    world.pass('bob', 61_000)
    t.match(find(world, 'bob', alice, null), { introduction: Uint8Array })
    // A day and an hour after the last change of a period nothing of today is left.
    world.pass('bob', PERIOD_MS + HOUR)
    t.equal(find(world, 'bob', alice, null), null)
    for (let i = 0; i < 4; i++) stepTracker(world.tracker, { kind: 'verify' }, world.now, world.rng)
    t.equal(world.tracker.table.size, 0, 'and the memory is free')
    t.end()
  },
)

t.test('TRK-6 status updates replace, a known record is not sent again', (t) => {
  const world = worldOf('updates')
  const last: SequenceMemory = new Map()
  const memory: LookupMemory = new Map()
  publish(world, alice, last)
  const status = () => (find(world, 'bob', alice, alice.self.friendSecret, memory) as Found).status
  t.equal(status(), 'online')
  const before = world.sent.length
  t.equal(status(), 'online')
  const [, answer] = world.sent.slice(before)
  t.equal(answer?.bytes.length, 1 + 12 + 16 + 5 + 1 + 1, 'one byte says unchanged')
  t.same(publish(world, person('Alice', { status: 'offline' }), last), ['stored', 'stored'])
  t.equal(status(), 'offline')
  t.end()
})

t.test('two periods: what is published before the change is found after it', (t) => {
  const world = worldOf('midnight')
  const offset = periodOffset('friends', alice.vault.address, alice.self.friendSecret!)
  const untilChange = PERIOD_MS - ((world.now - offset) % PERIOD_MS)
  world.pass('alice', untilChange - HOUR / 2)
  const records = ownRecords(alice.self, alice.vault, world.now, world.rng, ['friends'])
  t.equal(records.length, 2)
  records.forEach((record, ticket) => world.feed('alice', { kind: 'put', ticket, record }))
  t.match(find(world, 'bob', alice, alice.self.friendSecret), { status: 'online' })
  world.pass('bob', HOUR / 2 + HOUR + 1)
  t.equal(lookupKeys(alice.self.id, alice.self.friendSecret, world.now).length, 1)
  t.match(find(world, 'bob', alice, alice.self.friendSecret), { status: 'online' }, 'under the next key')
  t.end()
})

t.test('SND-2 a friend who moved is found at the new address', (t) => {
  const world = worldOf('moved')
  const last: SequenceMemory = new Map()
  const memory: LookupMemory = new Map()
  publish(world, alice, last)
  t.match(find(world, 'bob', alice, alice.self.friendSecret, memory), { endpoints: ['203.0.113.7:4711'] })
  publish(world, person('Alice', { endpoints: ['192.0.2.99:1'] }), last)
  t.match(find(world, 'bob', alice, alice.self.friendSecret, memory), { endpoints: ['192.0.2.99:1'] })
  t.end()
})

t.test('a stale put is answered with what is held, and put again past it; a conflict too', (t) => {
  const world = worldOf('stale')
  publish(world, alice)
  const last: SequenceMemory = new Map()
  const put = (): [OwnRecord, Outcome | undefined] => {
    const now = world.now - 60_000
    const record = ownRecords(alice.self, alice.vault, now, world.rng, ['friends'], last)[0]!
    return [record, world.feed('alice', { kind: 'put', ticket: 1, record })[0]]
  }
  const [record, first] = put()
  t.match(first, { kind: 'put-done', outcome: { kind: 'stale', record: { seq: NOON } } })
  t.ok(
    first?.kind === 'put-done' &&
      first.outcome.kind !== 'superseded' &&
      learnOutcome(last, record, first.outcome),
  )
  const [again, second] = put()
  t.equal(again.seq, NOON + 1)
  t.match(second, { kind: 'put-done', outcome: { kind: 'stored' } })
  const twin = ownRecords(alice.self, alice.vault, NOON + 1, world.rng, ['friends'])[0]!
  const [conflict] = world.feed('alice', { kind: 'put', ticket: 2, record: twin })
  t.match(conflict, { outcome: { kind: 'conflict', record: { seq: NOON + 1 } } }, 'same seq, other value')
  t.match(
    world.feed('alice', { kind: 'put', ticket: 3, record: again }),
    [{ outcome: { kind: 'stored' } }],
    'a repeat is none',
  )
  t.equal(world.log.filter((one) => one.record.seq === NOON + 1).length, 1, 'and is not written again')
  t.end()
})

t.test('Mallory cannot write for Alice, roll her back, or use a key of small order', (t) => {
  const world = worldOf('forger')
  const keys = session(world, HOME.mallory)
  const own = (now: number) => ownRecords(alice.self, alice.vault, now, world.rng, ['friends'])[0]!
  const older = own(NOON - 1000)
  const newer = own(NOON)
  const by = (record: PutRecord) => put(world, keys, HOME.mallory, record)
  t.equal(by({ ...older, signature: stranger(1).signature })?.kind, 'bad-signature')
  t.equal(by({ ...stranger(1), blinded: older.blinded })?.kind, 'bad-signature', 'signed with her own key')
  t.equal(by(older)?.kind, 'stored', 'what Alice signed may be carried by anyone')
  t.equal(by(newer)?.kind, 'stored')
  t.match(by(older), { kind: 'stale', record: { seq: NOON } }, 'the older does not come back')
  t.equal(by({ ...newer, seq: NOON + 1 })?.kind, 'bad-signature')
  t.equal(by({ ...newer, value: Buffer.alloc(120) })?.kind, 'conflict')
  const identity = concat(u8(1), Buffer.alloc(31))
  const free = { ...newer, blinded: identity, signature: concat(identity, Buffer.alloc(32)) }
  t.equal(by(free)?.kind, 'bad-signature')
  t.equal(world.log.length, 2, 'nothing of it was written')
  t.end()
})

t.test('Mallory cannot use a session from another address, nor change a bit of a request or a reply', (t) => {
  const world = worldOf('bits', { ...SMALL_LIMITS, allowances: unlimited() })
  const keys = session(world, HOME.bob)
  const request = sealRequest(keys, 1, { op: 'ping' }, world.rng)
  const spoofed = world.throwAt(request, { ...HOME.bob, port: 7 })
  t.equal(spoofed[0]?.bytes[0], TYPE.again)
  t.equal(world.throwAt(request, HOME.mallory)[0]?.bytes[0], TYPE.again)
  const [honest] = world.throwAt(request, HOME.bob)
  t.match(openReply(keys, honest!.bytes), { id: 1, reply: { op: 'ping', now: NOON } })
  for (const bit of bitsOf(request)) {
    const answers = world.throwAt(flipped(request, bit), HOME.bob)
    if (answers.some((answer) => openReply(keys, answer.bytes) !== null)) t.fail(`request, bit ${bit}`)
  }
  for (const bit of bitsOf(honest!.bytes)) {
    if (openReply(keys, flipped(honest!.bytes, bit)) !== null) t.fail(`reply, bit ${bit}`)
  }
  const hello = encodeHello(x25519Public(Buffer.alloc(32, 5)))
  const [welcome] = world.throwAt(hello, HOME.bob)
  const key = helloKey(
    Buffer.alloc(32, 5),
    world.tracker.public,
    x25519Public(Buffer.alloc(32, 5)),
    world.tracker.public,
  )
  t.ok(openWelcome(key, hello.subarray(2, 34), welcome!.bytes))
  for (const bit of bitsOf(welcome!.bytes)) {
    if (openWelcome(key, hello.subarray(2, 34), flipped(welcome!.bytes, bit)) !== null)
      t.fail(`welcome, bit ${bit}`)
  }
  t.end()
})

t.test('FW-2 a tracker that does not hold the pinned key is no tracker', (t) => {
  const world = worldOf('impostor')
  const other = new TrackerWorld('the real one')
  world.join('carol', { address: '192.0.2.50', port: 5 }, other.url)
  const outcomes = [
    ...world.feed('carol', { kind: 'ping', ticket: 1 }),
    ...world.feed('carol', { kind: 'query', ticket: 2, keys: [{ key: Buffer.alloc(16), known: 0 }] }),
    ...world.pass('carol', 20_000),
  ]
  t.same(
    outcomes,
    [1, 2].map((ticket) => ({ kind: 'failed', ticket })),
  )
  t.ok(
    world.sent.filter((one) => one.direction === 'up').every((one) => one.bytes[0] === TYPE.hello),
    'it got no request',
  )
  t.end()
})

t.test('no answer without a session is longer than what came, and no bytes crash either side', (t) => {
  const world = worldOf('random', { ...SMALL_LIMITS, allowances: unlimited() })
  const keys = session(world, HOME.bob)
  world.feed('bob', { kind: 'ping', ticket: 1 })
  const random = fc.uint8Array({ maxLength: 1400 })
  const typed = fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6), random)
    .map(([type, rest]) => concat(u8(type), rest))
  const hello = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeHello)
  const claimed = fc
    .tuple(random, fc.constant(keys.session))
    .map(([rest, name]) => concat(u8(TYPE.request), name, rest))
  fc.assert(
    fc.property(fc.oneof(random, typed, hello, claimed), (bytes) => {
      world.feed('bob', { kind: 'datagram', bytes })
      return world.throwAt(bytes, HOME.mallory).every((answer) => answer.bytes.length <= bytes.length)
    }),
    { numRuns: 400 },
  )
  // With a session, but with a request inside that is none.
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1100 }), (body) => {
      const answers = world.throwAt(sealRaw(keys, body), HOME.bob)
      return answers.every((answer) => answer.bytes.length <= MAX_DATAGRAM_BYTES)
    }),
    { numRuns: 200 },
  )
  t.match(find(world, 'bob', alice, null), null, 'and the honest go on')
  t.end()
})

t.test('a datagram from port 0, where no answer can go, gets none', (t) => {
  const world = worldOf('port 0')
  const hello = encodeHello(x25519Public(Buffer.alloc(32, 8)))
  t.same(world.throwAt(hello, { ...HOME.mallory, port: 0 }), [])
  t.equal(world.throwAt(hello, HOME.mallory).length, 1, 'the same from a real port is answered')
  t.end()
})

t.test('a flood from many senders stays bounded, and a legitimate query is answered meanwhile', (t) => {
  const request = { rate: 10, burst: 100 }
  const world = worldOf('flood', {
    ...SMALL_LIMITS,
    hellos: { rate: 100, burst: 100 },
    allowances: { ...DEFAULT_ALLOWANCES, request },
  })
  publish(world, alice)
  t.match(find(world, 'bob', alice, alice.self.friendSecret), { status: 'online' })
  let answers = 0
  const hello = encodeHello(x25519Public(Buffer.alloc(32, 6)))
  for (let i = 0; i < 600; i++) {
    const from = { address: `10.${i & 255}.${(i >> 3) & 255}.${i & 127}`, port: i + 1 }
    answers += world.throwAt(hello, from).length
  }
  t.ok(answers <= 100, 'hellos cost an agreement each, so there is a limit for all together')
  t.match(find(world, 'bob', alice, alice.self.friendSecret), { status: 'online' })

  // One sender's own allowance: requests beyond it are dropped.
  world.pass('bob', 1000)
  const keys = session(world, HOME.mallory)
  const flood = Array.from({ length: 150 }, () => ask(world, keys, HOME.mallory, { op: 'ping' }))
  t.equal(flood.filter((reply) => reply !== null).length, request.burst)
  const neighbour = { address: '2001:db8:bad::4', port: 9 }
  t.equal(ask(world, session(world, neighbour), neighbour, { op: 'ping' }), null, 'a /64 is one sender')
  t.match(find(world, 'bob', alice, alice.self.friendSecret), { status: 'online' })
  t.end()
})

t.test('allowances: for a host, and four times as much for its network', (t) => {
  const once = { rate: 1, burst: 10 }
  const world = worldOf('networks', {
    ...SMALL_LIMITS,
    slots: 4096,
    allowances: { ...unlimited(), unproven: once },
  })
  const hello = encodeHello(x25519Public(Buffer.alloc(32, 7)))
  const served = (address: string, times: number) =>
    Array.from({ length: times }, () => world.throwAt(hello, { address, port: 1 }).length).reduce(
      (a, b) => a + b,
    )
  t.equal(served('192.0.2.1', 20), 10, 'a host')
  t.equal(served('::ffff:192.0.2.1', 1), 0, 'in another dress')
  for (const host of [2, 3, 4]) t.equal(served(`192.0.2.${host}`, 20), 10)
  t.equal(served('192.0.2.5', 20), 0, 'its /24')
  t.equal(served('192.0.3.5', 20), 10, 'the next')
  t.equal(served('2001:db8::1', 8) + served('2001:db8::2', 8), 10, 'a /64 is one host')
  for (const subnet of [1, 2, 3]) t.equal(served(`2001:db8:0:${subnet}::1`, 20), 10)
  t.equal(served('2001:db8:0:4::1', 20), 0, 'its /48')
  world.now += 3000
  t.equal(served('192.0.2.1', 20), 3, 'refilled with time')
  world.now += 86_400_000
  t.equal(served('192.0.2.5', 20), 10, 'a new day, a new salt')
  t.end()
})

t.test('the table is a function of the accepted records, not of when it was swept', (t) => {
  const table = new RecordTable()
  const minute = 60_000
  t.equal(table.apply({ record: stranger(1, 9, 1), at: NOON }), 'new')
  const { blinded } = stranger(1)
  const get = (now: number) => table.get(recordKey(blinded).subarray(0, 8), now)?.seq
  t.equal(get(NOON + minute - 1), 9)
  t.equal(get(NOON + minute), undefined, 'expired, swept or not')
  t.equal(table.apply({ record: stranger(1, 4, 1), at: NOON + minute - 1 }), 'stale')
  t.equal(table.apply({ record: stranger(1, 4, 1), at: NOON + minute }), 'new')
  t.equal(table.apply({ record: stranger(1, 5, 65_535), at: NOON + minute }), 'newer')
  t.equal(get(NOON + minute + 2 * PERIOD_MS - 1), 5)
  t.equal(get(NOON + minute + 2 * PERIOD_MS), undefined, 'two days are the longest')
  t.end()
})

t.test('puts wait for their signature in a bounded queue, and the table is bounded', (t) => {
  const limits = { ...SMALL_LIMITS, pendingPuts: 10, records: 30, allowances: unlimited() }
  const world = worldOf('queue', limits)
  const keys = session(world, HOME.mallory)
  let slowed = 0
  // Without a step of `verify` nothing leaves the queue.
  for (let i = 0; i < 40; i++) {
    const bytes = sealRequest(keys, i, { op: 'put', record: stranger(i) }, world.rng)
    const [, effects] = stepTracker(
      world.tracker,
      { kind: 'datagram', bytes, from: HOME.mallory },
      world.now,
      world.rng,
    )
    const answer = effects.find((effect) => effect.kind === 'reply')
    const reply = answer && openReply(keys, answer.bytes)?.reply
    if (reply?.op === 'put' && reply.outcome.kind === 'slow-down') slowed += 1
  }
  t.equal(world.tracker.queue.length, 10)
  t.equal(slowed, 30)
  const pinged = ask(world, keys, HOME.mallory, { op: 'ping' })
  t.match(pinged, { op: 'ping' }, 'while puts wait, others are answered')
  const [, verified] = stepTracker(world.tracker, { kind: 'verify' }, world.now, world.rng)
  t.equal(world.settle(verified).length, 10)
  for (let i = 10; i < 30; i++) t.equal(put(world, keys, HOME.mallory, stranger(i))?.kind, 'stored')
  t.equal(put(world, keys, HOME.mallory, stranger(30))?.kind, 'full')
  t.equal(put(world, keys, HOME.mallory, stranger(3, NOON + 1))?.kind, 'stored', 'those who are in may go on')
  t.end()
})

t.test('an acknowledgement comes after the disk, and until then nobody sees the record', (t) => {
  const world = worldOf('durable')
  const keys = session(world, HOME.alice)
  const record = ownRecords(alice.self, alice.vault, world.now, world.rng, ['public'])[0]!
  const bytes = sealRequest(keys, 1, { op: 'put', record }, world.rng)
  const [, taken] = stepTracker(
    world.tracker,
    { kind: 'datagram', bytes, from: HOME.alice },
    world.now,
    world.rng,
  )
  t.same(taken, [{ kind: 'verify' }])
  const [, verified] = stepTracker(world.tracker, { kind: 'verify' }, world.now, world.rng)
  t.match(verified, [{ kind: 'append', batch: 0 }])
  t.equal(verified.length, 1, 'no reply yet')
  t.equal(find(world, 'bob', alice, null), null)
  const [, stored] = stepTracker(world.tracker, { kind: 'stored', batch: 0 }, world.now, world.rng)
  t.match(stored, [{ kind: 'reply', to: HOME.alice }])
  world.pass('bob', 16_000)
  t.match(find(world, 'bob', alice, null), { introduction: Uint8Array })
  t.end()
})

t.test('ES-3 the state is the replay of the log, and compaction changes the log alone', (t) => {
  const world = worldOf('compaction', { ...SMALL_LIMITS, deadRecords: 10, allowances: unlimited() })
  const keys = session(world, HOME.mallory)
  const held = () => [...world.tracker.table.live(world.now)].map((one) => toHex(one.record.signature)).sort()
  for (let seq = 1; seq <= 9; seq++) {
    for (let i = 0; i < 4; i++) t.equal(put(world, keys, HOME.mallory, stranger(i, seq))?.kind, 'stored')
  }
  t.ok(world.log.length <= 2 * 4 + 10 + 1, `${world.log.length} of 36 records are left`)
  const before = held()
  t.equal(before.length, 4)
  world.restart(replay)
  t.same(held(), before)
  const again = session(world, HOME.mallory)
  t.equal(put(world, again, HOME.mallory, stranger(0, 8))?.kind, 'stale', 'what was newest stays newest')
  t.end()
})

t.test('puts go on while the log is compacted, and what they replace meanwhile is still in it', (t) => {
  const world = worldOf('beside a compaction', { ...SMALL_LIMITS, deadRecords: 3, allowances: unlimited() })
  const keys = session(world, HOME.mallory)
  let pending: Extract<TrackerEffect, { kind: 'compact' }> | null = null
  const settle = world.settle.bind(world)
  world.settle = (effects) =>
    settle(
      effects.filter((effect) => {
        if (effect.kind === 'compact') pending = effect
        return effect.kind !== 'compact'
      }),
    )
  for (let seq = 1; seq <= 9; seq++) t.equal(put(world, keys, HOME.mallory, stranger(0, seq))?.kind, 'stored')
  t.match(pending, { kind: 'compact' })
  const { live } = pending!
  t.same(
    world.log.filter(live).map(({ record }) => record.seq),
    [6],
    'as it stood when the compaction began, whatever came since',
  )
  t.end()
})

t.test('a session that the tracker forgot, or that ran out, is renewed without anybody noticing', (t) => {
  const world = worldOf('renewal')
  publish(world, alice)
  const ping = (ticket: number) => world.feed('bob', { kind: 'ping', ticket })
  t.match(ping(1), [{ kind: 'ping-done', latencyMs: 0 }])
  world.restart(replay)
  t.match(ping(2), [{ kind: 'ping-done' }], 'after a restart')
  const { session: name } = world.client('bob').session!.keys
  world.pass('bob', HOUR)
  t.match(ping(3), [{ kind: 'ping-done' }], 'after an hour')
  t.notOk(equalBytes(world.client('bob').session!.keys.session, name))
  const hellos = () => world.sent.filter((one) => one.bytes[0] === TYPE.hello).length
  const before = hellos()
  world.feed('bob', { kind: 'datagram', bytes: concat(u8(TYPE.again), Buffer.alloc(8)) })
  t.match(ping(4), [{ kind: 'ping-done' }])
  t.equal(hellos(), before, 'whoever does not see the session cannot end it')
  t.end()
})

t.test('losses: sent again with growing pauses; a silent tracker is left in peace', (t) => {
  const world = worldOf('losses')
  let count = 0
  const arrives = [false, true, false, true, true, false, true, false, true, true]
  world.onWire = (bytes) => (arrives[count++] === true ? bytes : null)
  const outcomes = [...world.feed('bob', { kind: 'ping', ticket: 1 }), ...world.pass('bob', 30_000)]
  t.match(outcomes, [{ kind: 'ping-done', ticket: 1 }], 'lost: a hello, a welcome, a request, a reply')

  const dead = worldOf('silence')
  dead.onWire = () => null
  const times: number[] = []
  dead.onWire = () => (times.push(dead.now), null)
  const key = { key: Buffer.alloc(16, 1), known: 0 }
  dead.feed('bob', { kind: 'query', ticket: 1, keys: [key] })
  t.same(dead.pass('bob', 12_000), [{ kind: 'failed', ticket: 1 }])
  t.equal(times.length, 4)
  const pauses = times.slice(1).map((time, i) => time - times[i]!)
  pauses.forEach((pause, i) =>
    t.ok(pause >= 375 * 2 ** i && pause <= 625 * 2 ** i, `pause ${i}: ${pause} ms`),
  )
  t.ok(new Set(pauses.map((pause, i) => pause / 2 ** i)).size > 1, 'jittered')

  let refused = 0
  for (let second = 0; second < 600; second++) {
    const [at] = dead.feed('bob', { kind: 'query', ticket: second + 2, keys: [key] })
    if (at?.kind === 'failed') refused += 1
    dead.pass('bob', 1000)
  }
  t.ok(refused > 400, 'most fail at once')
  t.ok(times.length < 80, `${times.length} datagrams in ten minutes of asking each second`)
  dead.onWire = (bytes) => bytes
  t.match(dead.feed('bob', { kind: 'ping', ticket: 9999 }), [{ kind: 'ping-done' }], 'somebody asks by hand')
  t.match(dead.feed('bob', { kind: 'query', ticket: 10_000, keys: [key] }), [{ kind: 'query-done' }])
  t.end()
})

t.test(
  'a query of many keys is cut into datagrams; unknown keys are not asked again before their time',
  (t) => {
    const world = worldOf('batches', { ...SMALL_LIMITS, allowances: unlimited() })
    const keys = session(world, HOME.mallory)
    const records = Array.from({ length: 45 }, (_, i) => stranger(i))
    for (const record of records) t.equal(put(world, keys, HOME.mallory, record)?.kind, 'stored')
    const asked = [
      ...records.map(({ blinded }) => ({ key: recordKey(blinded), known: 0 })),
      ...Array.from({ length: 30 }, (_, i) => ({ key: Buffer.alloc(16, 200 + i), known: 0 })),
    ]
    world.sent.length = 0
    const [done] = world.feed('bob', { kind: 'query', ticket: 1, keys: asked })
    t.equal(done?.kind, 'query-done')
    const answers = done?.kind === 'query-done' ? done.answers : []
    t.ok(
      answers
        .slice(0, 45)
        .every((one, i) => one.kind === 'record' && equalBytes(one.record.signature, records[i]!.signature)),
    )
    t.ok(answers.slice(45).every((one) => one.kind === 'unknown'))
    t.equal(answers.length, 75)
    t.ok(world.sent.every((one) => one.bytes.length <= MAX_DATAGRAM_BYTES))
    const before = world.sent.length
    const unknown = asked.slice(45)
    t.match(world.feed('bob', { kind: 'query', ticket: 2, keys: unknown }), [{ kind: 'query-done' }])
    t.equal(world.sent.length, before, 'answered without asking')
    world.pass('bob', 1000 * SMALL_LIMITS.retrySeconds + 1)
    world.feed('bob', { kind: 'query', ticket: 3, keys: unknown })
    t.ok(world.sent.length > before, 'asked again after the time the tracker set')
    t.same(world.feed('bob', { kind: 'query', ticket: 4, keys: [] }), [
      { kind: 'query-done', ticket: 4, answers: [] },
    ])
    t.end()
  },
)

t.test('a client keeps a bounded number of things under way, and every ticket ends exactly once', (t) => {
  const world = worldOf('bounds')
  world.onWire = () => null
  const many = Array.from({ length: MAX_KEYS + 1 }, (_, i) => ({ key: Buffer.alloc(16, i & 255), known: 0 }))
  t.match(world.feed('bob', { kind: 'query', ticket: 0, keys: many }), [{ kind: 'failed', ticket: 0 }])
  const outcomes: Outcome[] = []
  for (let ticket = 1; ticket <= MAX_TICKETS + 20; ticket++) {
    outcomes.push(
      ...world.feed('bob', {
        kind: 'query',
        ticket,
        keys: [{ key: Buffer.alloc(16, ticket & 255), known: 0 }],
      }),
    )
  }
  t.equal(outcomes.length, 20)
  outcomes.push(...world.pass('bob', 60_000))
  t.equal(new Set(outcomes.map((one) => one.ticket)).size, MAX_TICKETS + 20)
  t.equal(outcomes.length, MAX_TICKETS + 20)
  t.equal(
    world.client('bob').queries.size + world.client('bob').wants.length + world.client('bob').flights.size,
    0,
  )
  t.end()
})

t.test('slow down is obeyed; a newer put of one key takes the place of one that waits', (t) => {
  const once = { rate: 0.05, burst: 1 }
  const world = worldOf('slow', { ...SMALL_LIMITS, allowances: { ...unlimited(), put: once } })
  const last: SequenceMemory = new Map()
  const own = () => ownRecords(alice.self, alice.vault, world.now, world.rng, ['friends'], last)[0]!
  t.match(world.feed('alice', { kind: 'put', ticket: 1, record: own() }), [{ outcome: { kind: 'stored' } }])
  t.same(world.feed('alice', { kind: 'put', ticket: 2, record: own() }), [], 'told to slow down')
  const before = world.sent.length
  world.pass('alice', 5000)
  t.equal(world.sent.length, before, 'and does')
  const superseded = world.feed('alice', { kind: 'put', ticket: 3, record: own() })
  t.match(superseded, [{ kind: 'put-done', ticket: 2, outcome: { kind: 'superseded' } }])
  t.match(world.pass('alice', 60_000), [{ kind: 'put-done', ticket: 3, outcome: { kind: 'stored' } }])
  t.end()
})

t.test('the operator sees neither IDs nor address keys, endpoints, nicknames, nor who asked', (t) => {
  const world = worldOf('operator')
  publish(world, alice)
  publish(world, bob)
  find(world, 'bob', alice, alice.self.friendSecret)
  const secrets = [alice, bob].flatMap(({ self, vault }) => [
    ...[Buffer.from(self.id), Buffer.from(vault.address), Buffer.from(self.nickname)],
    ...[Buffer.from(self.endpoints[0]!), Buffer.from([203, 0, 113, 7]), Buffer.from(self.friendSecret!)],
    Buffer.from(self.introductionKeys[0]!.public),
  ])
  const askers = Object.values(HOME).map(({ address }) => Buffer.from(address))
  const seen = everythingIn(world.tracker)
  t.ok(seen.length > 500, 'there is something to look at')
  for (const secret of [...secrets, ...askers, Buffer.from([198, 51, 100, 1])]) {
    t.notOk(seen.includes(secret), toHex(secret))
  }
  t.end()
})

/** Every byte and every text reachable from the tracker's state, private fields by their tables included. */
function everythingIn(state: TrackerWorld['tracker']): Buffer {
  const { table, queue, batches, epochs } = state
  const live = [...table.live(NOON)].map(({ record }) => Object.values(record) as (Uint8Array | number)[])
  const bytes = live.flat().map((one) => (typeof one === 'number' ? Buffer.from(String(one)) : one))
  const rest = JSON.stringify({ queue, batches: [...batches], epochs: epochs.current.number, live })
  return concat(...bytes, Buffer.from(rest))
}

function unlimited(): typeof DEFAULT_ALLOWANCES {
  const free = { rate: 1e6, burst: 1e6 }
  return { unproven: free, request: free, put: free, creation: free }
}

/** A datagram under the session's keys with anything at all inside. */
function sealRaw(keys: SessionKeys, body: Uint8Array): Uint8Array {
  const nonce = Buffer.alloc(12, 9)
  const head = concat(u8(TYPE.request), keys.session, nonce)
  return concat(head, seal(keys.toServer, nonce, head, body))
}

function* bitsOf(bytes: Uint8Array): Generator<number> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) yield bit
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = Buffer.from(bytes)
  out.writeUInt8(out.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return out
}
