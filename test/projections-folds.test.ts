import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import type { Fact, FactData, MessageId, UserId } from '../src/events/vocabulary/facts.js'
import { toHex } from '../src/foundation/bytes.js'
import { sha256 } from '../src/foundation/crypto.js'
import type { Table, Tx } from '../src/projections/engine/fold.js'
import {
  countOf,
  dropList,
  dropOldPage,
  holds,
  insertInto,
  newest,
  oldest,
  pageList,
  removeFrom,
} from '../src/projections/lists/page-list.js'
import type { Projections } from '../src/projections/engine.js'
import type { MessageRow, View } from '../src/projections/view.js'
import { ErasedFacts, MemoryFacts } from './fixtures/fact-source.js'
import { BOUNDED, PEOPLE, START, anyHistory, messageIdOf } from './fixtures/histories.js'
import { everythingIn, given, happened, openOn } from './fixtures/projected.js'

const [ALICE = '', BOB = '', CAROL = '', MALLORY = ''] = PEOPLE
const TOKEN = Buffer.alloc(32, 1)
const THEIR_TOKEN = Buffer.alloc(32, 2)
const SECRET = Buffer.alloc(32, 3)
const keysOf = (n: number) => ({ certificate: Buffer.alloc(200, n), spki: Buffer.alloc(40, n) })
const HOME = 'home.example:1'
const CAFE = 'cafe.example:2'
const DAY = 86_400_000

// The facts of the stories, as short as they can be told.
const created: Fact = { type: 'IdentityCreated', data: { ...keysOf(1), id: ALICE, origin: 'generated' } }
const requested = (id: UserId, token = TOKEN): Fact => ({ type: 'FriendRequested', data: { id, token } })
const learned = (id: UserId, n = 7): Fact => ({
  type: 'ContactLearned',
  data: { ...keysOf(n), id, nickname: 'bob' },
})
const asked = (id: UserId, more: Partial<FactData['FriendRequestReceived']> = {}): Fact => ({
  type: 'FriendRequestReceived',
  data: { ...keysOf(7), id, nickname: 'bob', token: THEIR_TOKEN, endpoints: [HOME], ...more },
})
const accepted = (id: UserId): Fact => ({ type: 'FriendAccepted', data: { id, token: TOKEN } })
const acceptance = (id: UserId): Fact => ({
  type: 'FriendAcceptanceReceived',
  data: { id, nickname: 'bob', token: THEIR_TOKEN, secret: SECRET, endpoints: [HOME] },
})
const endpoints = (id: UserId, how: FactData['ContactEndpointsLearned']['how'], ...list: string[]): Fact => ({
  type: 'ContactEndpointsLearned',
  data: { id, endpoints: list, how },
})
const status = (id: UserId, what: 'online' | 'offline'): Fact => ({
  type: 'ContactStatusChanged',
  data: { id, status: what, how: 'check' },
})
const about = (
  type: 'ContactBlocked' | 'ContactUnblocked' | 'ContactRemoved' | 'FriendRejected',
  id: UserId,
): Fact => ({
  type,
  data: { id },
})
const code = (n: number) => Buffer.alloc(16, n)
const queued = (n: number, to: UserId, sentAt = START + n): Fact => ({
  type: 'MessageQueued',
  data: {
    messageId: messageIdOf(n),
    checkCode: code(n),
    to,
    sentAt,
    kind: 'text',
    body: { text: `text ${n}` },
  },
})
const received = (n: number, from: UserId, sentAt = START + n): Fact => ({
  type: 'MessageReceived',
  data: {
    messageId: messageIdOf(n),
    checkCode: code(n),
    from,
    sentAt,
    how: 'link',
    kind: 'text',
    body: { text: `text ${n}` },
  },
})
const sent = (n: number, to: UserId, how: 'link' | 'post' = 'link'): Fact => ({
  type: 'MessageSent',
  data: { messageId: messageIdOf(n), to, how },
})
const ack = (type: 'MessageDelivered' | 'MessageRead', n: number, to: UserId): Fact => ({
  type,
  data: { messageId: messageIdOf(n), to },
})
const failed = (n: number, to: UserId): Fact => ({
  type: 'MessageFailed',
  data: { messageId: messageIdOf(n), to, reason: 'Serious connection error' },
})
const shown = (from: UserId, ...ns: number[]): Fact => ({
  type: 'MessagesShown',
  data: { from, messageIds: ns.map(messageIdOf) },
})
const friends = [requested(BOB), learned(BOB), acceptance(BOB)]
const idsOf = (rows: readonly { readonly messageId: MessageId }[]) => rows.map((row) => row.messageId)

t.test('FRD-2 Alice asks Bob, and Bob accepts', async (t) => {
  const world = await given(created, requested(BOB))
  t.match(world.view.contact(BOB), {
    state: 'requested',
    admits: TOKEN,
    shows: null,
    requestSent: false,
    spki: null,
  })
  t.match(world.when(learned(BOB)).contact(BOB), {
    state: 'requested',
    nickname: 'bob',
    spki: keysOf(7).spki,
  })
  t.equal(world.when({ type: 'FriendRequestSent', data: { id: BOB } }).contact(BOB)?.requestSent, true)
  const friend = { state: 'friend', admits: TOKEN, shows: THEIR_TOKEN, secret: SECRET, endpoints: [HOME] }
  t.match(world.when(acceptance(BOB)).contact(BOB), friend)
  t.match((await world.reopened()).contact(BOB), friend)
})

t.test('FRD-2 Bob asks Alice, who accepts, or does not', async (t) => {
  const world = await given(asked(BOB, { text: 'remember me?' }))
  t.match(world.view.contact(BOB), {
    state: 'incoming',
    admits: null,
    shows: THEIR_TOKEN,
    text: 'remember me?',
  })
  t.equal(world.view.contact(BOB)?.at, START + 1000)
  t.match(world.when(accepted(BOB)).contact(BOB), { state: 'friend', admits: TOKEN, shows: THEIR_TOKEN })
  t.match(world.when(about('FriendRejected', BOB)).contact(BOB), { state: 'friend' }, 'too late to reject')
  t.equal((await given(asked(CAROL), about('FriendRejected', CAROL))).view.contact(CAROL), undefined)
})

t.test('both asked: both tokens are kept, and only FriendAccepted makes friends', async (t) => {
  for (const order of [
    [requested(BOB), asked(BOB)],
    [asked(BOB), requested(BOB)],
  ]) {
    const world = await given(...order)
    t.match(world.view.contact(BOB), { state: 'requested', admits: TOKEN, shows: THEIR_TOKEN })
    t.match(world.when(accepted(BOB)).contact(BOB), { state: 'friend', admits: TOKEN, shows: THEIR_TOKEN })
  }
})

t.test('nobody becomes a friend out of turn', async (t) => {
  t.equal((await given(acceptance(BOB))).view.contact(BOB), undefined, 'an acceptance nobody asked for')
  t.match((await given(asked(BOB), acceptance(BOB))).view.contact(BOB), { state: 'incoming' })
  t.match(
    (await given(requested(BOB), accepted(BOB))).view.contact(BOB),
    { state: 'requested' },
    'they never asked',
  )
  t.equal((await given(accepted(BOB))).view.contact(BOB), undefined)
  t.equal((await given(learned(BOB))).view.contact(BOB), undefined, 'a look-up makes no contact')
  t.equal((await given(endpoints(BOB, 'hand', HOME))).view.contact(BOB), undefined)
})

t.test('another key than the pinned one replaces nothing and raises doubt', async (t) => {
  for (const pinned of [[requested(BOB), learned(BOB)], [asked(BOB)], friends]) {
    const before = (await given(...pinned)).view.contact(BOB)!
    for (const stranger of [
      learned(BOB, 8),
      asked(BOB, { ...keysOf(8), nickname: 'mallory', token: SECRET }),
    ]) {
      const world = await given(...pinned, stranger)
      t.match(world.view.contact(BOB), { ...before, doubt: /another key/ })
      t.match(
        world.when(learned(BOB)).contact(BOB),
        { doubt: /another key/ },
        'the old key does not settle it',
      )
    }
  }
})

t.test('a newer certificate over the same keys is no doubt', async (t) => {
  const certificate = Buffer.concat([keysOf(7).certificate.subarray(0, 117), Buffer.alloc(83, 9)])
  const world = await given(...friends, asked(BOB, { certificate }))
  t.match(world.view.contact(BOB), { doubt: null, certificate: keysOf(7).certificate })
})

t.test('blocked stays blocked under everything but unblocking and removal', async (t) => {
  const world = await given(...friends, queued(1, BOB), about('ContactBlocked', BOB))
  const barred = { state: 'blocked', admits: null, shows: null, secret: null }
  t.match(world.view.contact(BOB), barred)
  t.strictSame(world.view.allowed(), [])
  const secret: Fact = { type: 'FriendSecretReceived', data: { id: BOB, secret: TOKEN } }
  const card: Fact = { type: 'ContactCardReceived', data: { id: BOB, nickname: 'robert' } }
  const before = world.view.contact(BOB)
  const everything = [
    requested(BOB),
    learned(BOB, 8),
    asked(BOB),
    accepted(BOB),
    acceptance(BOB),
    secret,
    card,
  ]
  const rest = [endpoints(BOB, 'hand', CAFE), about('FriendRejected', BOB), about('ContactBlocked', BOB)]
  t.strictSame(world.when(...everything, ...rest, status(BOB, 'online')).contact(BOB), before)
  t.equal(world.view.presence(BOB).status, 'unknown')
  const back = { state: 'friend', admits: TOKEN, shows: THEIR_TOKEN, secret: SECRET }
  t.match(world.when(about('ContactUnblocked', BOB)).contact(BOB), back)
  t.strictSame(world.view.allowed(), [{ kind: 'contact', who: BOB, endpoints: [HOME], byHand: [] }])
  t.equal(world.when(about('ContactBlocked', BOB), about('ContactRemoved', BOB)).contact(BOB), undefined)
})

t.test('strangers can be blocked, and are nobody again afterwards', async (t) => {
  const world = await given(about('ContactBlocked', MALLORY), asked(MALLORY))
  t.match(world.view.contact(MALLORY), { state: 'blocked' })
  t.equal(world.when(about('ContactUnblocked', MALLORY)).contact(MALLORY), undefined)
  t.strictSame(world.view.contacts(), [])
})

t.test('addresses: newer news replaces older, and what was typed stays', async (t) => {
  const world = await given(...friends, endpoints(BOB, 'tracker', CAFE))
  t.strictSame(world.view.contact(BOB)?.endpoints, [CAFE])
  t.strictSame(world.when(endpoints(BOB, 'tracker')).contact(BOB)?.endpoints, [CAFE], 'no address is no news')
  t.strictSame(world.when(endpoints(BOB, 'hand', CAFE, 'typed:1')).contact(BOB)?.endpoints, [CAFE, 'typed:1'])
  t.strictSame(world.when(endpoints(BOB, 'link', HOME)).contact(BOB)?.endpoints, [HOME, 'typed:1'])
  const row = { kind: 'contact', who: BOB, endpoints: [HOME, 'typed:1'], byHand: ['typed:1'] }
  t.strictSame(world.view.allowed(), [row], 'and is told apart in the allow-list')
  t.strictSame(world.when(endpoints(BOB, 'hand', HOME)).contact(BOB)?.endpoints, [HOME])
  t.strictSame(world.view.allowed()[0]?.endpoints, [HOME], 'the allow-list follows')
})

t.test('FW-1 the allow-list: friends, people we asked, trackers, and nobody else', async (t) => {
  const url = `sotto-tracker://[2001:db8::1]:7000/${'K'.repeat(60)}`
  const world = await given(created, asked(MALLORY), ...friends, requested(CAROL), {
    type: 'TrackerAdded',
    data: { url },
  })
  t.strictSame(world.view.allowed(), [
    { kind: 'contact', who: BOB, endpoints: [HOME], byHand: [] },
    { kind: 'contact', who: CAROL, endpoints: [], byHand: [] },
    { kind: 'tracker', who: url, endpoints: ['[2001:db8::1]:7000'] },
  ])
  t.equal(world.when(accepted(MALLORY)).allowed().length, 4, 'an accepted stranger is let in')
  world.when(about('ContactRemoved', MALLORY), about('ContactBlocked', BOB), about('ContactRemoved', CAROL))
  t.strictSame(world.when({ type: 'TrackerRemoved', data: { url } }).allowed(), [])
})

t.test('FW-1 for any history the allow-list is exactly what contacts and trackers allow', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyHistory(), async (history) => {
      const { view } = await openOn(happened(history))
      const open = view.contacts().filter(({ state }) => state === 'friend' || state === 'requested')
      const people = open.map(({ id, endpoints: where }) => ({ kind: 'contact', who: id, endpoints: where }))
      assert.deepEqual(
        view
          .allowed()
          .filter(({ kind }) => kind === 'contact')
          .map(({ kind, who, endpoints: where }) => ({ kind, who, endpoints: where })),
        people,
      )
      for (const { endpoints: where, byHand = [] } of view.allowed())
        assert.ok(byHand.every((endpoint) => where.includes(endpoint)))
      const trackers = view.trackers().map(({ url }) => url)
      assert.deepEqual(
        view
          .allowed()
          .filter(({ kind }) => kind === 'tracker')
          .map(({ who }) => who),
        trackers,
      )
      for (const row of view.contacts()) {
        if (row.state === 'blocked') assert.deepEqual([row.admits, row.shows], [null, null])
        if (row.state === 'friend') assert.ok(row.admits !== null && row.shows !== null)
      }
    }),
    { numRuns: 60, ...BOUNDED },
  )
  t.pass('for all of them')
})

t.test('presence: the newest news of people we follow', async (t) => {
  const world = await given(...friends)
  t.strictSame(world.view.presence(BOB), { status: 'unknown', how: 'none', at: 0 })
  t.strictSame(world.at(START + 60_000, status(BOB, 'online')).presence(BOB), {
    status: 'online',
    how: 'check',
    at: START + 60_000,
  })
  t.equal(world.at(START + 59_000, status(BOB, 'offline')).presence(BOB).status, 'online', 'late news')
  t.equal(
    world.at(START - DAY, status(BOB, 'offline')).presence(BOB).status,
    'offline',
    'the clock was set back',
  )
  t.equal(world.when(status(CAROL, 'online')).presence(CAROL).status, 'unknown', 'a stranger')
  t.equal(world.when(about('ContactRemoved', BOB)).presence(BOB).how, 'none')
})

t.test('a message goes queued, sent, delivered, read, and never back', async (t) => {
  const world = await given(...friends, queued(1, BOB))
  const state = () => world.view.message(messageIdOf(1))?.state
  t.match(world.view.message(messageIdOf(1)), {
    direction: 'out',
    with: BOB,
    state: 'queued',
    shown: true,
    text: 'text 1',
  })
  world.when(sent(1, BOB, 'post'), sent(1, BOB, 'post'), sent(1, BOB, 'link'))
  t.equal(state(), 'sent')
  world.when(ack('MessageDelivered', 1, MALLORY))
  t.equal(state(), 'sent', 'only who it went to can acknowledge it')
  world.when(ack('MessageDelivered', 1, BOB))
  t.equal(state(), 'delivered')
  world.when(failed(1, BOB), sent(1, BOB))
  t.equal(state(), 'delivered')
  world.when(ack('MessageRead', 1, BOB), ack('MessageDelivered', 1, BOB))
  t.equal(state(), 'read')
  const trail = world.view
    .message(messageIdOf(1))
    ?.trail.map(({ what, how }) => (how ? `${what} ${how}` : what))
  t.strictSame(trail, ['queued', 'sent post', 'sent link', 'delivered', 'read'])
  t.ok(world.view.message(messageIdOf(1))?.trail.every(({ at }) => at > START))
})

t.test('a failed message says why, and a late acknowledgement still counts', async (t) => {
  const world = await given(queued(1, BOB), failed(1, BOB))
  t.match(world.view.message(messageIdOf(1))?.trail.at(-1), {
    what: 'failed',
    how: 'Serious connection error',
  })
  t.strictSame(world.view.outbox(BOB), [])
  t.equal(world.when(ack('MessageDelivered', 1, BOB)).message(messageIdOf(1))?.state, 'delivered')
})

t.test(
  'SND-3 the outbox keeps letters until they are acknowledged, in order, through restarts',
  async (t) => {
    const secret: Fact = {
      type: 'MessageQueued',
      data: {
        messageId: messageIdOf(9),
        checkCode: code(9),
        to: BOB,
        sentAt: START + 2,
        kind: 'friend-secret',
        body: { secret: SECRET },
      },
    }
    const world = await given(
      ...friends,
      queued(3, BOB),
      queued(1, BOB),
      secret,
      queued(4, CAROL),
      sent(1, BOB),
    )
    const waiting = [messageIdOf(9), messageIdOf(1), messageIdOf(3)]
    const peers = [
      { id: BOB, pending: 3 },
      { id: CAROL, pending: 1 },
    ]
    for (const view of [world.view, await world.reopened()]) {
      t.strictSame(idsOf(view.outbox(BOB)), waiting)
      t.strictSame(
        view.outbox(BOB).map(({ state }) => state),
        ['queued', 'sent', 'queued'],
      )
      t.strictSame(idsOf(view.outbox(BOB, 2)), waiting.slice(0, 2))
      t.match(view.outbox(BOB)[0], {
        kind: 'friend-secret',
        body: { secret: SECRET },
        checkCode: code(9),
        to: BOB,
      })
      t.strictSame(view.outboxPeers(), peers)
    }
    t.equal(world.when(ack('MessageDelivered', 1, CAROL)).outbox(BOB).length, 3, 'not hers to acknowledge')
    t.strictSame(idsOf(world.when(ack('MessageDelivered', 1, BOB), ack('MessageRead', 9, BOB)).outbox(BOB)), [
      messageIdOf(3),
    ])
    t.strictSame((await world.reopened()).outbox(BOB).length, 1)
    t.equal(world.view.message(messageIdOf(9)), undefined, 'control letters are not shown')
  },
)

t.test('removing a contact drops its outbox, and the messages say so', async (t) => {
  const world = await given(
    ...friends,
    queued(1, BOB),
    queued(2, BOB),
    queued(3, CAROL),
    ack('MessageDelivered', 1, BOB),
  )
  world.when(about('ContactRemoved', BOB))
  t.strictSame(world.view.outbox(BOB), [])
  t.strictSame(world.view.outboxPeers(), [{ id: CAROL, pending: 1 }])
  t.equal(world.view.message(messageIdOf(1))?.state, 'delivered')
  t.match(world.view.message(messageIdOf(2)), {
    state: 'failed',
    trail: [{}, { what: 'failed', how: 'removed' }],
  })
  t.equal(world.view.conversation(BOB).length, 2, 'what was said stays readable')
})

t.test('RCV-4 a letter is shown once, however often and by whatever way it comes', async (t) => {
  const again = { ...(received(1, BOB).data as FactData['MessageReceived']), how: 'post' as const }
  const world = await given(received(1, BOB), received(1, BOB), { type: 'MessageReceived', data: again })
  t.equal(world.view.conversation(BOB).length, 1)
  t.match(world.view.conversations(), [{ with: BOB, messages: 1, unread: 1 }])
  t.ok(world.view.seen(messageIdOf(1), START + 1))
  t.notOk(world.view.seen(messageIdOf(2), START + 2))
  world.when(created, queued(2, BOB))
  t.ok(world.view.seen(messageIdOf(2), START + 2), 'own letters are known too')
  t.strictSame(
    world.when(ack('MessageDelivered', 2, BOB), queued(2, BOB)).outbox(BOB),
    [],
    'nor is one queued twice',
  )
  t.equal(world.view.message(messageIdOf(2))?.state, 'delivered')
})

t.test(
  'RCV-4 control letters are remembered for 90 days, page by page; texts for as long as they are here',
  async (t) => {
    const world = await given(created, received(9999, BOB))
    const idOf = (n: number) => toHex(sha256(Buffer.from([n >> 8, n & 255]))).slice(0, 32)
    const letter = (n: number, sentAt: number): Fact => ({
      type: 'MessageReceived',
      data: {
        messageId: idOf(n),
        checkCode: code(n & 255),
        from: BOB,
        sentAt,
        how: 'link',
        kind: 'read',
        body: { ids: [] },
      },
    })
    for (let n = 0; n < 600; n++) world.at(START + n, letter(n, START + n))
    const seen = (n: number, at = START + n) => world.view.seen(idOf(n), at)
    world.at(START + 89 * DAY, letter(1000, START + 89 * DAY))
    t.ok(seen(0) && seen(300) && seen(599))
    for (let n = 0; n < 3; n++) world.at(START + 91 * DAY + n, letter(1001 + n, START + 91 * DAY + n))
    t.notOk(seen(0) || seen(100), 'full pages of old letters are gone')
    t.ok(seen(1000, START + 89 * DAY))
    t.ok(world.view.seen(messageIdOf(9999), START + 9999), 'a text that is here')
    t.equal(world.at(START + 92 * DAY, received(9999, BOB)).conversation(BOB).length, 1, 'stays single')
  },
)

t.test('RCV-4 shown in order of time stamp, then check code, in any order of arrival', async (t) => {
  const letter = fc.record({ n: fc.nat(999), time: fc.nat(50), mine: fc.boolean() })
  const letters = fc.uniqueArray(letter, {
    minLength: 1,
    maxLength: 200,
    selector: ({ n }) => n,
    size: 'max',
  })
  await fc.assert(
    fc.asyncProperty(letters, async (arrivals) => {
      const world = await given()
      const facts = arrivals.map(({ n, time, mine }) =>
        (mine ? queued : received)(n % 256, BOB, START + time),
      )
      const named = facts.map((fact, i) => {
        const data = fact.data as FactData['MessageReceived']
        const checkCode = Buffer.alloc(16)
        checkCode.writeUInt16BE(arrivals[i]!.n, 14)
        return { ...fact, data: { ...data, messageId: messageIdOf(arrivals[i]!.n), checkCode } } as Fact
      })
      const view = world.at(START, ...named)
      const rows = view.conversation(BOB)
      t.equal(rows.length, arrivals.length)
      t.ok(rows.every((row, i) => i === 0 || inOrder(rows[i - 1]!, row)))
      for (const limit of [1, 50, 64, 65]) t.strictSame(view.conversation(BOB, { limit }), rows.slice(-limit))
      const since = START + 25
      const late = rows.filter(({ orderedAt }) => orderedAt >= since)
      t.strictSame(view.conversation(BOB, { since }), late)
      t.strictSame(view.conversation(BOB, { since, limit: 10 }), late.slice(-10))
      t.strictSame(view.unshown(BOB), idsOf(rows.filter(({ direction }) => direction === 'in')))
    }),
    { numRuns: 25, ...BOUNDED },
  )
})

function inOrder(a: MessageRow, b: MessageRow): boolean {
  if (a.orderedAt !== b.orderedAt) return a.orderedAt < b.orderedAt
  return Buffer.compare(a.checkCode, b.checkCode) < 0
}

t.test('RCV-4 a clock far ahead does not stay on top of the conversation', async (t) => {
  const world = await given()
  const ahead = START + 10 * DAY
  world.at(START, received(1, BOB, ahead), received(2, BOB, START + 299_000))
  world.at(START + 600_000, received(3, BOB, START + 600_000))
  t.strictSame(idsOf(world.view.conversation(BOB)), [2, 1, 3].map(messageIdOf))
  t.match(world.view.message(messageIdOf(1)), { sentAt: ahead, orderedAt: START + 300_000 })
  t.match(world.view.message(messageIdOf(2)), { sentAt: START + 299_000, orderedAt: START + 299_000 })
  t.ok(world.view.seen(messageIdOf(1), ahead))
  t.equal(world.at(START + 700_000, received(1, BOB, ahead)).conversation(BOB).length, 3)
})

t.test('what was shown is not shown as new again', async (t) => {
  const world = await given(received(1, BOB), received(2, BOB), received(3, CAROL), queued(4, BOB))
  t.match(world.view.conversations(), [
    { with: BOB, messages: 3, unread: 2, lastAt: START + 4 },
    { with: CAROL, messages: 1, unread: 1 },
  ])
  t.strictSame(world.when(shown(BOB, 2, 3, 4)).unshown(BOB), [messageIdOf(1)])
  t.strictSame(world.view.unshown(CAROL), [messageIdOf(3)], "not Bob's")
  t.equal(world.view.message(messageIdOf(3))?.shown, false)
  t.match(world.view.message(messageIdOf(2)), {
    shown: true,
    state: 'received',
    trail: [{}, { what: 'shown' }],
  })
  t.match((await world.reopened()).conversations(), [
    { with: BOB, unread: 1 },
    { with: CAROL, unread: 1 },
  ])
  t.equal(world.when(shown(BOB, 2), shown(BOB, 1)).conversations()[0]?.unread, 0)
})

const DAY_OF = (sentAt: number) => Math.floor(sentAt / DAY)
/** What the profile appends to forget these messages. */
function forgetting(rows: readonly MessageRow[], why: 'asked' | 'disappeared' = 'asked'): Fact {
  const letters = rows.map(({ messageId, sentAt }) => ({ messageId, day: DAY_OF(sentAt) }))
  return { type: 'ContentForgotten', data: { letters, seqs: rows.flatMap(({ seqs }) => seqs), why } }
}
const rowOf = (view: View, n: number) => view.message(messageIdOf(n))!

t.test('ID-3 a forgotten message leaves nothing, and does not come again', async (t) => {
  const world = await given(
    ...friends,
    received(1, BOB),
    received(2, BOB),
    queued(3, BOB),
    received(4, CAROL),
  )
  world.when(sent(3, BOB), received(1, BOB))
  t.strictSame(rowOf(world.view, 1).seqs, [4, 9], 'every record of it')
  world.when(forgetting([rowOf(world.view, 1), rowOf(world.view, 3), rowOf(world.view, 4)]))
  for (const view of [world.view, await world.reopened()]) {
    t.strictSame(
      [1, 3, 4].map((n) => view.message(messageIdOf(n))),
      [undefined, undefined, undefined],
    )
    t.strictSame(idsOf(view.conversation(BOB)), [messageIdOf(2)])
    t.strictSame(view.conversations(), [{ with: BOB, messages: 1, unread: 1, lastAt: START + 2 }])
    t.strictSame([view.outbox(BOB), view.outboxPeers()], [[], []], 'it is not sent any more')
    t.strictSame(view.unshown(CAROL), [])
    t.strictSame(view.erasures(10), [4, 6, 7, 9])
    t.ok(view.seen(messageIdOf(1), START + 1) && view.seen(messageIdOf(3), START + 3))
  }
  world.when(received(1, BOB), queued(3, BOB), ack('MessageDelivered', 3, BOB), shown(CAROL, 4), sent(3, BOB))
  t.equal(world.view.message(messageIdOf(1)), undefined, 'though it comes again')
  t.strictSame(world.view.outbox(BOB), [])
  world.when({ type: 'ContentErased', data: { seqs: [4, 6, 7] } })
  t.strictSame(world.view.erasures(10), [9])
  t.strictSame(world.view.erasures(0), [])
})

t.test('ID-3 for any history: forgotten is as if it had never been said', async (t) => {
  const picks = fc.array(
    fc.record({ after: fc.nat(40), which: fc.array(fc.nat(999), { minLength: 1, maxLength: 6 }) }),
    {
      maxLength: 8,
    },
  )
  let forgotten = 0
  await fc.assert(
    fc.asyncProperty(anyHistory(), picks, async (history, choices) => {
      const told = happened(history)
      const facts = new MemoryFacts()
      const erased = new Set<number>()
      const live = await openOn(facts)
      for (const [i, group] of told.groups.entries()) {
        await take(live, facts, group.facts)
        for (const { which } of choices.filter(({ after }) => after === i)) {
          const rows = chosen(live.view, which)
          for (const seq of rows.flatMap(({ seqs }) => seqs)) erased.add(seq)
          forgotten += rows.length
          await take(live, facts, [{ ...forgetting(rows), at: group.facts[0]!.at }])
          assert.ok(rows.every(({ messageId, sentAt }) => live.view.seen(messageId, sentAt)))
        }
      }
      const never = await openOn(new ErasedFacts(facts, erased))
      assert.deepEqual(everythingIn(live.view), everythingIn(never.view))
      assert.deepEqual(await live.hashes(), await never.hashes(), 'to the last byte of every row')
    }),
    { numRuns: 60, ...BOUNDED },
  )
  t.ok(forgotten > 50, `${forgotten} messages were forgotten`)
})

/** Some of all messages. */
function chosen(view: View, which: readonly number[]): MessageRow[] {
  const all = view.conversations().flatMap((row) => view.conversation(row.with))
  const places = new Set(all.length === 0 ? [] : which.map((n) => n % all.length))
  return [...places].map((place) => all[place]!)
}

async function take(
  projections: Projections,
  facts: MemoryFacts,
  group: readonly (Fact & { readonly at: number })[],
): Promise<void> {
  const { facts: stored, link } = facts.append(group, group[0]!.at)
  await projections.apply(stored, link)
}

t.test('disappearing: the time of a message runs from when it was seen here, or arrived there', async (t) => {
  const timer = (afterMs: number | null): Fact => ({ type: 'DisappearingSet', data: { with: BOB, afterMs } })
  const world = await given(
    ...friends,
    received(1, BOB),
    received(2, BOB),
    queued(3, BOB),
    received(8, CAROL),
  )
  const began = START + 100_000
  world.at(began, shown(BOB, 1), shown(CAROL, 8))
  t.equal(world.view.nextExpiry(), null)
  world.at(START + 200_000, timer(60_000))
  t.strictSame(world.view.timers(), [{ with: BOB, afterMs: 60_000 }])
  t.strictSame([world.view.disappearsAfter(BOB), world.view.disappearsAfter(CAROL)], [60_000, null])
  t.equal(world.view.nextExpiry(), began + 60_000, 'it counts for what was said before')
  t.strictSame(world.view.expired(began + 59_999, 10), [])
  t.strictSame(world.view.expired(began + 60_000, 10), [messageIdOf(1)])
  t.strictSame(world.view.expired(START * 2, 10), [messageIdOf(1)], 'neither unread nor waiting to be sent')
  world.at(START + 300_000, ack('MessageDelivered', 3, BOB))
  world.at(START + 310_000, ack('MessageRead', 3, BOB), shown(BOB, 2), shown(BOB, 1))
  t.strictSame(world.view.expired(START + 360_000, 10), [1, 3].map(messageIdOf), 'from when it had arrived')
  t.strictSame((await world.reopened()).expired(START + 370_000, 10), [1, 3, 2].map(messageIdOf))
  t.strictSame(world.view.expired(START + 370_000, 2), [1, 3].map(messageIdOf))
  world.when(forgetting([rowOf(world.view, 1), rowOf(world.view, 3)], 'disappeared'))
  t.strictSame(world.view.expired(START * 2, 10), [messageIdOf(2)])
  world.when(queued(4, BOB), about('ContactRemoved', BOB))
  t.strictSame(world.view.expired(START * 2, 10), [2, 4].map(messageIdOf), 'given up')
  world.when(timer(DAY))
  t.equal(world.view.nextExpiry(), START + 310_000 + DAY)
  world.when(timer(null))
  t.strictSame(
    [world.view.timers(), world.view.nextExpiry(), world.view.expired(START * 2, 10)],
    [[], null, []],
  )
})

t.test('RCV-4 for any history: every message once, counts agree, outbox is what waits', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyHistory(), async (history) => {
      const { view } = await openOn(happened(history))
      const all = view.conversations().flatMap((row) => view.conversation(row.with))
      assert.equal(new Set(idsOf(all)).size, all.length, 'no message twice')
      for (const row of view.conversations()) {
        const rows = view.conversation(row.with)
        assert.equal(rows.length, row.messages)
        assert.deepEqual(idsOf(rows.filter((each) => !each.shown)), view.unshown(row.with))
        assert.equal(row.unread, view.unshown(row.with).length)
      }
      const texts = view
        .outboxPeers()
        .flatMap(({ id }) => view.outbox(id).filter(({ kind }) => kind === 'text'))
      const waiting = all.filter(({ state }) => state === 'queued' || state === 'sent')
      assert.deepEqual(new Set(idsOf(texts)), new Set(idsOf(waiting)))
      for (const { id, pending } of view.outboxPeers()) assert.equal(view.outbox(id).length, pending)
    }),
    { numRuns: 60, ...BOUNDED },
  )
  t.pass('for all of them')
})

t.test('ES-1 oneself, settings and trackers as the log tells them', async (t) => {
  const intro = (n: number): Fact => ({
    type: 'IntroductionKeyDrawn',
    data: { month: n, secret: Buffer.alloc(32, n), public: Buffer.alloc(32, n + 100) },
  })
  const world = await given({ type: 'ProfileChanged', data: { nickname: 'alice' } })
  t.equal(world.view.self(), undefined, 'nobody without an identity')
  world.when(
    created,
    { type: 'RecoverySeedKept', data: { seed: SECRET } },
    intro(1),
    intro(2),
    intro(3),
    intro(3),
  )
  t.match(world.view.self(), {
    id: ALICE,
    nickname: 'alice',
    avatar: null,
    discoverable: true,
    recovery: { seq: 3, backedUp: false },
  })
  t.strictSame(
    world.view.self()?.introductionKeys.map(({ month }) => month),
    [2, 3],
  )
  world.when({ type: 'IdentityCreated', data: { ...keysOf(5), id: MALLORY, origin: 'imported' } })
  t.equal(world.view.self()?.id, ALICE, 'an identity is for life')
  world.when(
    { type: 'ProfileChanged', data: { avatar: SECRET, discoverable: false } },
    { type: 'OwnStatusChanged', data: { status: 'online', endpoints: [HOME] } },
    { type: 'FriendSecretDrawn', data: { secret: SECRET } },
    { type: 'BackupMade', data: { form: 'file', epoch: 0 } },
    { type: 'LoggedOut', data: {} },
  )
  t.match(await world.reopened().then((view) => view.self()), {
    nickname: 'alice',
    avatar: SECRET,
    discoverable: false,
    status: 'online',
    endpoints: [HOME],
    friendSecret: SECRET,
    recovery: { seq: 3, backedUp: true },
    loggedOut: true,
  })
  const seed: Fact = { type: 'ContentForgotten', data: { letters: [], seqs: [3], why: 'backup' } }
  t.equal(world.when(seed).self()?.recovery, null)
  t.equal(world.when({ type: 'LoggedIn', data: { form: 'file' } }).self()?.loggedOut, false)
  t.equal(world.view.setting('rsa-each'), undefined)
  world.when({ type: 'SettingChanged', data: { key: 'rsa-each', value: true } })
  t.strictSame([world.view.setting('rsa-each'), world.view.settings()], [true, { 'rsa-each': true }])
  const url = 'sotto-tracker://192.0.2.1:7000/K'
  world.when({ type: 'TrackerAdded', data: { url } })
  const { at } = world.view.trackers()[0]!
  t.strictSame(world.when({ type: 'TrackerAdded', data: { url } }).trackers(), [{ url, at }])
  t.strictSame(world.when({ type: 'TrackerRemoved', data: { url } }).trackers(), [])
})

t.test('ordered lists behave as a sorted set, whatever the page size', (t) => {
  const step = fc.record({ add: fc.integer({ min: 0, max: 9 }).map((n) => n > 2), entry: fc.nat(60) })
  const property = fc.property(
    fc.integer({ min: 2, max: 5 }),
    fc.integer({ min: 1, max: 3 }),
    fc.array(step, { maxLength: 150, size: 'max' }),
    (size, runs, steps) => {
      const list = pageList(99, 1, size, runs)
      const rows = new PlainRows()
      const model = new Set<string>()
      for (const { add, entry } of steps) {
        const text = String(entry).padStart(2, '0')
        const did = (add ? insertInto : removeFrom)(rows, list, 'a', text)
        if (did !== (add ? !model.has(text) : model.has(text))) return false
        if (add) model.add(text)
        else model.delete(text)
      }
      const sorted = [...model].sort()
      t.strictSame(oldest(rows, list, 'a'), sorted)
      t.strictSame(newest(rows, list, 'a', 7, '20'), sorted.filter((each) => each >= '20').slice(-7))
      t.equal(countOf(rows, list, 'a'), sorted.length)
      t.ok(sorted.every((each) => holds(rows, list, 'a', each)) && !holds(rows, list, 'a', '99'))
      t.equal(rows.longest(), Math.min(rows.longest(), size))
      const neverOtherwise = new PlainRows()
      for (const each of sorted) insertInto(neverOtherwise, list, 'a', each)
      t.strictSame(rows.all(), neverOtherwise.all(), 'what is left does not tell what was there')
      dropList(rows, list, 'a')
      return rows.size === 0
    },
  )
  fc.assert(property, { numRuns: 100, ...BOUNDED })
  t.end()
})

t.test('old pages are dropped one at a time, whatever chapter they are in', (t) => {
  const entries = Array.from({ length: 400 }, (_, n) => String(n).padStart(3, '0'))
  for (const runs of [1, 2, 16]) {
    const list = pageList(99, 1, 2, runs)
    const rows = new PlainRows()
    for (const each of entries) insertInto(rows, list, 'a', each)
    while (countOf(rows, list, 'a') > 2) {
      const before = countOf(rows, list, 'a')
      dropOldPage(rows, list, 'a', () => '999')
      const left = oldest(rows, list, 'a')
      if (left.length === before) break
      t.strictSame(left, entries.slice(-left.length), 'a page at a time')
      t.equal(countOf(rows, list, 'a'), left.length)
    }
    t.ok(countOf(rows, list, 'a') <= 2, 'but for the last page')
    dropList(rows, list, 'a')
    t.equal(rows.size, 0)
  }
  t.end()
})

t.test('the end of a long conversation opens a few rows of its list, not all', (t) => {
  const list = pageList(99, 1, 64)
  const rows = new PlainRows()
  for (let n = 0; n < 10_000; n++) insertInto(rows, list, 'a', String(n).padStart(6, '0'))
  rows.reads = 0
  t.equal(newest(rows, list, 'a', 16).length, 16)
  t.ok(rows.reads <= 4)
  rows.reads = 0
  t.equal(newest(rows, list, 'a', Infinity, '009990').length, 10, 'the same since a time')
  t.ok(rows.reads <= 4)
  t.ok(rows.size < 10_000 / 55, 'and nearly all pages are full')
  t.ok(rows.longestIndex() < 10_000, 'no row of the index grows with the list')
  t.end()
})

/** Rows without an engine. */
class PlainRows implements Tx {
  readonly #rows = new Map<string, unknown>()
  reads = 0
  get size(): number {
    return this.#rows.size
  }
  get<Row>(table: Table<Row>, key: string): Row | undefined {
    this.reads++
    return this.#rows.get(`${table.id} ${key}`) as Row | undefined
  }
  put<Row>(table: Table<Row>, key: string, row: Row): void {
    this.#rows.set(`${table.id} ${key}`, row)
  }
  delete(table: Table<unknown>, key: string): void {
    this.#rows.delete(`${table.id} ${key}`)
  }
  all(): unknown[] {
    return [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1))
  }
  longestIndex(): number {
    const lengths = [...this.#rows.values()].map((row) =>
      Array.isArray(row) ? 0 : JSON.stringify(row).length,
    )
    return Math.max(0, ...lengths)
  }
  longest(): number {
    return Math.max(0, ...[...this.#rows.values()].map((row) => (Array.isArray(row) ? row.length : 0)))
  }
}
