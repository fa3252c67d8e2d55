import fc from 'fast-check'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import t, { type Test } from 'tap'
import type { Fact, FactType, UserId } from '../src/events/vocabulary/facts.js'
import { isSottoError } from '../src/foundation/errors.js'
import { seededRng } from '../src/foundation/rng.js'
import { idOf } from '../src/keys/user-id.js'
import { ed25519Public } from '../src/keys/ed25519.js'
import { acceptFriend } from '../src/profile/decisions/accept-friend.js'
import { changeStatus } from '../src/profile/decisions/change-status.js'
import { changeEndpoints } from '../src/profile/decisions/change-endpoints.js'
import type { Deciding } from '../src/profile/decisions/context.js'
import {
  blockContact,
  rejectFriend,
  removeContact,
  unblockContact,
} from '../src/profile/decisions/end-contact.js'
import { queueMessage } from '../src/profile/decisions/queue-message.js'
import { requestFriend } from '../src/profile/decisions/request-friend.js'
import { setProfile } from '../src/profile/decisions/set-profile.js'
import { showConversation } from '../src/profile/decisions/show-conversation.js'
import { nicknameField } from '../src/net/links/fields.js'
import { drawId, readIdPicture, writeIdPicture } from '../src/profile/id-picture.js'
import { nicknameOf } from '../src/profile/nickname.js'
import { parseSetting, settingKey } from '../src/profile/settings.js'
import { resolveWho } from '../src/profile/who.js'
import type { ContactRow, ContactState, SelfRow, View } from '../src/projections/view.js'
import { safeJson } from '../src/terminal/safe-json.js'
import { safeText } from '../src/terminal/safe-text.js'

const rng = seededRng('decisions')
const someone = (): UserId => idOf(ed25519Public(rng.bytes(32)))
const [ALICE, BOB, CAROL, MALLORY] = [someone(), someone(), someone(), someone()]

const PNG = Buffer.from('89504e470d0a1a0a00', 'hex')

function contact(id: UserId, state: ContactState, nickname: string): ContactRow {
  const nothing = {
    avatar: null,
    certificate: null,
    spki: null,
    admits: null,
    shows: null,
    secret: null,
    text: null,
  }
  return {
    ...nothing,
    id,
    state,
    nickname,
    endpoints: ['192.0.2.7:80'],
    at: 1,
    requestSent: false,
    verified: false,
    doubt: null,
    device: null,
    rival: null,
  }
}

/** What Alice sees; only what decisions look at. */
function deciding(
  contacts: ContactRow[],
  more: Partial<View> = {},
  against: Partial<SelfRow> = {},
): Deciding {
  const self = {
    id: ALICE,
    nickname: 'alice',
    avatar: null,
    discoverable: true,
    friendSecret: Buffer.alloc(32, 5),
    endpoints: ['198.51.100.4:8080'],
    status: 'online',
    superseded: null,
    deviceConflict: null,
    ...against,
  } as unknown as SelfRow
  const view = {
    self: () => self,
    contact: (id: UserId) => contacts.find((row) => row.id === id),
    contacts: () => contacts,
    setting: () => undefined,
    unshown: () => [],
    ...more,
  } as unknown as View
  return { view, now: 1_700_000_000_000, rng: seededRng('alice') }
}

const types = (facts: readonly Fact[]): FactType[] => facts.map((fact) => fact.type)
const refused = (code: string) => (error: unknown) => isSottoError(error) && error.code === code

function throws(t: Test, run: () => unknown, code: string, message = code): void {
  try {
    run()
    t.fail(`nothing was thrown; ${message}`)
  } catch (error) {
    t.ok(refused(code)(error), `${message}: ${String(error)}`)
  }
}

t.test('FRD-2 Alice accepts Bob: the fact and the letter that tells him are one group', (t) => {
  const facts = acceptFriend(deciding([contact(BOB, 'incoming', 'bob')]), BOB)
  t.same(types(facts), ['FriendAccepted', 'MessageQueued'])
  const [accepted, queued] = facts
  if (accepted?.type !== 'FriendAccepted' || queued?.type !== 'MessageQueued')
    throw new TypeError('other facts than expected')
  t.equal(queued.data.to, BOB)
  t.equal(queued.data.kind, 'friend-accept')
  t.match(queued.data.body, {
    token: accepted.data.token,
    nickname: 'alice',
    endpoints: ['198.51.100.4:8080'],
  })
  t.equal(accepted.data.token.length, 32)
  throws(t, () => acceptFriend(deciding([contact(BOB, 'requested', 'bob')]), BOB), 'not-a-friend')
  throws(t, () => acceptFriend(deciding([contact(BOB, 'blocked', 'bob')]), BOB), 'blocked')
  throws(t, () => acceptFriend(deciding([]), BOB), 'not-found')
  t.end()
})

t.test('FRD-2 asking: once is enough, oneself is refused, who asked first is accepted', (t) => {
  t.same(types(requestFriend(deciding([]), BOB)), ['FriendRequested'])
  t.same(requestFriend(deciding([contact(BOB, 'requested', '')]), BOB), [])
  t.same(types(requestFriend(deciding([contact(BOB, 'incoming', 'bob')]), BOB)), [
    'FriendAccepted',
    'MessageQueued',
  ])
  throws(t, () => requestFriend(deciding([]), ALICE), 'that-is-you')
  throws(t, () => requestFriend(deciding([contact(BOB, 'friend', 'bob')]), BOB), 'already-friend')
  t.end()
})

t.test('SND-1 a message carries a time stamp and a random check code of its own', (t) => {
  const friends = deciding([contact(BOB, 'friend', 'bob'), contact(MALLORY, 'blocked', 'mallory')])
  const first = queueMessage(friends, BOB, 'hello')
  const second = queueMessage(friends, BOB, 'hello')
  const [a, b] = [first.facts[0], second.facts[0]]
  if (a?.type !== 'MessageQueued' || b?.type !== 'MessageQueued')
    throw new TypeError('other facts than expected')
  t.equal(a.data.sentAt, friends.now)
  t.equal(a.data.checkCode.length, 16)
  t.not(Buffer.from(a.data.checkCode).toString('hex'), Buffer.from(b.data.checkCode).toString('hex'))
  t.match(first.messageId, /^[0-9a-f]{32}$/)
  t.not(first.messageId, second.messageId)
  throws(t, () => queueMessage(friends, MALLORY, 'hello'), 'blocked')
  throws(t, () => queueMessage(friends, BOB, ''), 'usage')
  throws(t, () => queueMessage(friends, BOB, 'half a pair \ud800'), 'usage')
  throws(t, () => queueMessage(friends, BOB, 'é'.repeat(8193)), 'too-large')
  t.equal(queueMessage(friends, BOB, 'é'.repeat(8192)).facts.length, 1)
  t.end()
})

t.test('blocking and removing draw a new friend secret and tell only those who stay', (t) => {
  const people = [
    contact(BOB, 'friend', 'bob'),
    contact(CAROL, 'friend', 'carol'),
    contact(MALLORY, 'incoming', 'm'),
  ]
  for (const decision of [blockContact, removeContact]) {
    const facts = decision(deciding(people), BOB)
    t.same(types(facts).slice(1), ['FriendSecretDrawn', 'MessageQueued'])
    const [, drawn, told] = facts
    if (drawn?.type !== 'FriendSecretDrawn' || told?.type !== 'MessageQueued')
      throw new TypeError('other facts than expected')
    t.equal(told.data.to, CAROL)
    t.same(told.data.body, { secret: drawn.data.secret })
  }
  t.same(types(rejectFriend(deciding(people), MALLORY)), ['FriendRejected'])
  throws(t, () => rejectFriend(deciding(people), BOB), 'not-a-friend')
  t.end()
})

t.test('showing marks only what was not shown, and a receipt goes out unless that is off', (t) => {
  const bob = contact(BOB, 'friend', 'bob')
  const unshown = () => ['a'.repeat(32), 'b'.repeat(32)]
  const shown = ['a'.repeat(32), 'c'.repeat(32)]
  const on = showConversation(deciding([bob], { unshown }), BOB, shown)
  t.same(types(on), ['MessagesShown', 'MessageQueued'])
  t.match(on[0]?.data, { messageIds: ['a'.repeat(32)] })
  t.match(on[1]?.data, { kind: 'read', body: { ids: ['a'.repeat(32)] } })
  const off = deciding([bob], { unshown, setting: () => false })
  t.same(types(showConversation(off, BOB, shown)), ['MessagesShown'])
  t.same(showConversation(deciding([bob]), BOB, shown), [], 'nothing was new')
  t.end()
})

t.test('ID-1 nickname and picture can be set, friends are told once, and nothing unprintable passes', (t) => {
  const friends = deciding([contact(BOB, 'friend', 'bob')])
  t.same(types(setProfile(friends, { nickname: 'alicia', avatar: PNG })), ['ProfileChanged', 'MessageQueued'])
  t.same(setProfile(friends, { nickname: 'alice' }), [], 'no change, no fact')
  t.same(types(setProfile(friends, { discoverable: false })), ['ProfileChanged'], 'nobody is told of that')
  throws(t, () => setProfile(friends, { avatar: Buffer.from('GIF89a') }), 'bad-profile')
  for (const bad of [
    '',
    '  ',
    'a\u0007',
    'a\u202eb',
    'a\u200bb',
    'a\nb',
    'x'.repeat(65),
    '\u0301a',
    `a${'\u0301'.repeat(6)}b`,
    '\u3164',
    '\u2800\u115f',
    'bob\ufe0f',
  ]) {
    throws(t, () => nicknameOf(bad), 'bad-profile', JSON.stringify(bad))
  }
  t.equal(nicknameOf('  e\u0301lodie '), '\u00e9lodie')
  t.equal(nicknameOf('😀'.repeat(64)).length, 128)
  t.equal(nicknameOf('\u2764\ufe0f'), '\u2764\ufe0f', 'a heart as keyboards write it')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      try {
        const name = nicknameOf(text)
        return (
          Array.from(name).length <= 64 &&
          name === name.normalize('NFC') &&
          safeText(name) === name &&
          v.is(nicknameField, name)
        )
      } catch (error) {
        return isSottoError(error, 'bad-profile')
      }
    }),
  )
  t.end()
})

t.test(
  'DEV-1 on a device that does not speak for Alice nothing is decided that others would hear of',
  (t) => {
    const friends = [contact(BOB, 'friend', 'bob'), contact(CAROL, 'incoming', 'carol')]
    const shown = { unshown: () => ['m1'] }
    for (const against of ['superseded', 'deviceConflict'] as const) {
      const alice = deciding(friends, shown, { [against]: { epoch: 2, how: 'contact' } })
      const wishes = {
        send: () => queueMessage(alice, BOB, 'hello'),
        ask: () => requestFriend(alice, MALLORY),
        accept: () => acceptFriend(alice, CAROL),
        reject: () => rejectFriend(alice, CAROL),
        block: () => blockContact(alice, BOB),
        unblock: () => unblockContact(alice, BOB),
        remove: () => removeContact(alice, BOB),
        rename: () => setProfile(alice, { nickname: 'al' }),
        'go online': () => changeStatus(alice, 'online'),
      }
      for (const [wish, run] of Object.entries(wishes)) throws(t, run, 'superseded', `${against}: ${wish}`)
      t.same(
        types(showConversation(alice, BOB, ['m1'])),
        ['MessagesShown'],
        'reading works, and tells nobody',
      )
    }
    t.end()
  },
)

t.test('ARC-1 addresses by hand: kept in one form, found again, refused when they are none', (t) => {
  const alice = deciding([contact(BOB, 'friend', 'bob')])
  const added = changeEndpoints(alice, BOB, { add: '[2001:DB8:0::1]:8080' })
  t.match(added[0]?.data, { endpoints: ['[2001:db8::1]:8080', '192.0.2.7:80'], how: 'hand' })
  t.match(changeEndpoints(alice, BOB, { remove: '192.0.2.7:80' })[0]?.data, { endpoints: [] })
  throws(t, () => changeEndpoints(alice, BOB, { remove: '192.0.2.8:80' }), 'not-found')
  throws(t, () => changeEndpoints(alice, BOB, { add: 'nonsense' }), 'bad-endpoint')
  t.end()
})

t.test(
  'WHO is an id, an unambiguous beginning of one, or a nickname; look-alikes are refused with the choices',
  (t) => {
    const bob = contact(BOB, 'friend', 'bob')
    const people = [bob, contact(CAROL, 'friend', 'carol')]
    t.equal(resolveWho(BOB, people), bob)
    t.equal(resolveWho(BOB.toLowerCase().replace(/(.{6})/g, '$1 '), people), bob)
    t.equal(resolveWho(BOB.slice(0, 8), people), bob)
    t.equal(resolveWho(' bob ', people), bob)
    throws(t, () => resolveWho(BOB.slice(0, 7), people), 'not-found', 'seven characters')
    throws(t, () => resolveWho(MALLORY, people), 'not-found')
    throws(t, () => resolveWho('b0b', people), 'not-found', 'a look-alike is not the person')
    const wrong = (BOB.startsWith('A') ? 'C' : 'A') + BOB.slice(1)
    throws(t, () => resolveWho(wrong, people), 'bad-id', 'one wrong character')
    for (const twin of ['bob', 'b\u043eb', 'B0B', 'Bob', 'b.ob']) {
      const both = [bob, contact(MALLORY, 'incoming', twin)]
      throws(t, () => resolveWho('bob', both), 'ambiguous', twin)
      t.equal(resolveWho(BOB, both), bob, 'the id decides')
    }
    const named = [bob, contact(MALLORY, 'friend', BOB.slice(0, 8))]
    throws(
      t,
      () => resolveWho(BOB.slice(0, 8), named),
      'ambiguous',
      'a nickname that is the beginning of an id',
    )
    t.end()
  },
)

t.test('settings: unknown ones and impossible values are refused', (t) => {
  t.equal(parseSetting(settingKey('refresh.interval'), '30'), 30)
  t.equal(parseSetting(settingKey('receipts.read'), 'off'), false)
  t.equal(parseSetting(settingKey('listen'), '127.0.0.1:0'), '127.0.0.1:0')
  throws(t, () => settingKey('constructor'), 'not-found')
  throws(t, () => parseSetting('refresh.interval', '-1'), 'usage')
  throws(t, () => parseSetting('listen', 'everywhere'), 'usage')
  t.end()
})

t.test('text of others cannot drive the terminal', (t) => {
  t.equal(safeText('a\u001b[2Jb\u009bc\u202ed\u0000'), 'a\ufffd[2Jb\ufffdc\ufffdd\ufffd')
  t.equal(safeText('line\n\ttab é 😀'), 'line\n\ttab é 😀')
  const text = 'a\u001b[2J\u009b2J\u202e\u2066é 😀'
  t.same(JSON.parse(safeJson({ text })), { text }, 'JSON says the same')
  t.notMatch(safeJson({ text }), /[\u0000-\u001f\u007f-\u009f]|\p{Bidi_Control}/u, 'and draws nothing')
  t.end()
})

t.test('an id as a picture is read back, and a picture of something else is refused', async (t) => {
  const directory = t.testdir({ 'none.png': 'not a picture', 'huge.png': '' })
  const path = join(directory, 'id.png')
  await writeIdPicture(BOB, path)
  t.equal(await readIdPicture(path), BOB)
  await t.rejects(writeIdPicture(BOB, path), { code: 'file-exists' }, 'nothing is overwritten')
  await t.rejects(readIdPicture(join(directory, 'none.png')), { code: 'malformed' })
  await t.rejects(readIdPicture(join(directory, 'missing.png')), { code: 'not-found' })
  const header = readFileSync(path)
  header.writeUInt32BE(60_000, 16)
  header.writeUInt32BE(60_000, 20)
  writeFileSync(join(directory, 'huge.png'), header)
  await t.rejects(readIdPicture(join(directory, 'huge.png')), { code: 'too-large' }, 'before it is unpacked')
  t.match(await drawId(BOB), /█/)
})
