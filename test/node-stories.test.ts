import t from 'tap'
import type { Fact } from '../src/events/vocabulary/facts.js'
import { seededRng } from '../src/foundation/rng.js'
import { ed25519Public } from '../src/keys/ed25519.js'
import { idOf } from '../src/keys/user-id.js'
import { acceptFriend } from '../src/profile/decisions/accept-friend.js'
import { blockContact, removeContact } from '../src/profile/decisions/end-contact.js'
import { queueLetter } from '../src/profile/decisions/queue-letter.js'
import { requestFriend } from '../src/profile/decisions/request-friend.js'
import { showConversation } from '../src/profile/decisions/show-conversation.js'
import type { SimNode } from './fixtures/simulator/sim-node.js'
import { areFriends, MINUTE, NOON, World } from './fixtures/simulator/world.js'

const DAY = 86_400_000

function types(node: SimNode): string[] {
  return node.facts.map((fact) => fact.type)
}

function count(node: SimNode, type: Fact['type']): number {
  return types(node).filter((each) => each === type).length
}

async function two(seed: string) {
  const world = new World(seed)
  const [alice, bob] = [await world.person('alice'), await world.person('bob')]
  return { world, alice, bob }
}

async function linkedFriends(seed: string) {
  const all = await two(seed)
  await all.world.oldFriends(all.alice, all.bob)
  await all.world.settled(all.alice, all.bob)
  await all.world.clock.pass(1_000)
  return all
}

t.test('FRD-2 KEY-2 two who know only an ID become friends through a tracker and talk', async (t) => {
  const { world, alice, bob } = await two('friends')
  await world.friends(alice, bob)
  const [atAlice, atBob] = [alice.view.contact(bob.id), bob.view.contact(alice.id)]
  t.strictSame(atAlice?.spki, bob.vault.spki, 'Alice keeps the public key of Bob')
  t.strictSame(atBob?.spki, alice.vault.spki, 'Bob keeps the public key of Alice')
  t.match([atAlice?.nickname, atBob?.nickname], ['bob', 'alice'])
  t.strictSame(atAlice?.secret, bob.view.self()?.friendSecret, 'Alice can follow where Bob is')
  t.strictSame(atBob?.secret, alice.view.self()?.friendSecret, 'Bob can follow where Alice is')
  t.strictSame([atAlice?.admits, atAlice?.shows], [atBob?.shows, atBob?.admits])
  await world.say(bob, alice, 'good that you asked')
  await world.settled(alice, bob)
  t.same(alice.texts(bob.id), ['good that you asked'])
  t.same([...alice.refused, ...bob.refused], [], 'every dial was on the allow-list')
  await world.end()
})

t.test('FRD-1 a look-up shows nickname and reach; of who is not discoverable no card', async (t) => {
  const { world, alice, bob } = await two('lookup')
  await world.clock.pass(3_000)
  const first = alice.command({ kind: 'lookup', id: bob.id })
  await world.must(() => alice.outcomes.has(first), 'an answer')
  t.match(alice.outcomes.get(first), { kind: 'lookup', nickname: 'bob', reachable: true })
  t.equal(alice.view.contacts().length + bob.view.contacts().length, 0, 'nobody keeps anything')
  const unknown = idOf(ed25519Public(seededRng('nobody').bytes(32)))
  const second = alice.command({ kind: 'lookup', id: unknown })
  await world.must(() => alice.outcomes.has(second), 'an answer')
  t.match(alice.outcomes.get(second), { kind: 'lookup', nickname: null, reachable: false })
  const hidden = await world.person('carol')
  await hidden.happen({ type: 'ProfileChanged', data: { discoverable: false } })
  await world.clock.pass(3_000)
  const shy = alice.command({ kind: 'lookup', id: hidden.id })
  await world.must(() => alice.outcomes.has(shy), 'an answer')
  t.match(alice.outcomes.get(shy), { kind: 'lookup', nickname: null, avatar: null })
  world.tracker.up = false
  await world.clock.pass(MINUTE)
  const third = alice.command({ kind: 'lookup', id: hidden.id })
  await world.must(() => alice.outcomes.has(third), 'an answer')
  t.match(alice.outcomes.get(third), { kind: 'refused', code: 'tracker-unreachable' })
  await world.end()
})

t.test('two who ask each other at the same time are friends without another word', async (t) => {
  const { world, alice, bob } = await two('both')
  await world.clock.pass(2_000)
  await alice.decide((deciding) => requestFriend(deciding, bob.id))
  await bob.decide((deciding) => requestFriend(deciding, alice.id))
  await world.must(() => areFriends(alice, bob), 'friends')
  await world.settled(alice, bob)
  await world.say(alice, bob, 'same thought')
  await world.settled(alice, bob)
  t.same(bob.texts(alice.id), ['same thought'])
  await world.end()
})

t.test('a request waits until the other one appears, through restarts of the asker', async (t) => {
  const { world, alice, bob } = await two('patient')
  await world.clock.pass(2_000)
  await bob.stop()
  await alice.decide((deciding) => requestFriend(deciding, bob.id))
  await world.clock.pass(MINUTE)
  t.equal(alice.view.contact(bob.id)?.requestSent, false)
  await alice.crash()
  await alice.start()
  await world.clock.pass(MINUTE)
  await bob.start()
  await world.must(() => bob.view.contact(alice.id)?.state === 'incoming', 'the request comes', 30 * MINUTE)
  await world.must(() => alice.view.contact(bob.id)?.requestSent === true, 'and Alice knows')
  await world.end()
})

t.test('who was accepted while away learns it on return, at a new address', async (t) => {
  const { world, alice, bob } = await two('accepted away')
  await world.clock.pass(2_000)
  await alice.decide((deciding) => requestFriend(deciding, bob.id))
  await world.must(() => alice.view.contact(bob.id)?.requestSent === true, 'asked')
  await alice.stop()
  await bob.decide((deciding) => acceptFriend(deciding, alice.id))
  await world.clock.pass(MINUTE)
  alice.move('8.0.7.7:9000')
  await alice.start()
  await world.must(() => areFriends(alice, bob), 'friends', 30 * MINUTE)
  await world.settled(alice, bob)
  t.same(bob.view.contact(alice.id)?.endpoints, ['8.0.7.7:9000'])
  await world.end()
})

t.test(
  'who is removed while their new request is judged is no friend again without a word of ours',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('removed')
    await bob.happen({ type: 'ContactRemoved', data: { id: alice.id } })
    await bob.happen({ type: 'FriendRequested', data: { id: alice.id, token: seededRng('anew').bytes(32) } })
    let removed = false
    alice.onEffect = (effect) => {
      const judged = effect.kind === 'append' && effect.facts.some(({ type }) => type === 'FriendAccepted')
      if (judged && !removed) {
        removed = true
        void alice.decide((deciding) => removeContact(deciding, bob.id))
      }
      return true
    }
    await world.must(() => removed && bob.view.contact(alice.id)?.requestSent === true, 'asked and judged')
    await world.clock.pass(MINUTE)
    t.ok(types(alice).lastIndexOf('ContactRemoved') < types(alice).lastIndexOf('FriendAccepted'))
    t.equal(alice.view.contact(bob.id)?.state, 'incoming', 'his request waits for Alice')
    t.same([alice.linked, bob.linked], [[], []])
    t.same(alice.view.outboxPeers(), [], 'no acceptance lies about until she accepts')
    await alice.decide((deciding) => acceptFriend(deciding, bob.id))
    await world.must(() => areFriends(alice, bob), 'friends, now that she says so')
    await world.settled(alice, bob)
    await world.end()
  },
)

t.test('a blocked person gets no link, is told what everyone is told, and leaves no trace', async (t) => {
  const { world, alice, bob } = await linkedFriends('blocked')
  await bob.decide((deciding) => blockContact(deciding, alice.id))
  await world.clock.pass(100)
  t.same(bob.linked, [])
  await world.say(alice, bob, 'are you there')
  await world.clock.pass(10 * MINUTE)
  t.same([bob.linked, bob.texts(alice.id)], [[], []])
  // Alice tries again as a stranger.
  const token = seededRng('again').bytes(32)
  await alice.happen({ type: 'ContactRemoved', data: { id: bob.id } })
  await alice.happen({ type: 'FriendRequested', data: { id: bob.id, token } })
  const before = count(bob, 'FriendRequestReceived')
  await world.must(() => alice.view.contact(bob.id)?.requestSent === true, 'it looks as if queued')
  t.equal(count(bob, 'FriendRequestReceived'), before)
  t.equal(bob.view.contact(alice.id)?.state, 'blocked')
  await world.end()
})

t.test('a hundred requests wait at most; then strangers hear busy, until there is room', async (t) => {
  const { world, alice, bob } = await two('quota')
  const { certificate, spki } = alice.vault
  const crowd = Array.from({ length: 100 }, (_, i) =>
    idOf(ed25519Public(seededRng(`stranger ${i}`).bytes(32))),
  )
  for (const id of crowd) {
    const data = { id, certificate, spki, nickname: 'x', token: seededRng(id).bytes(32), endpoints: [] }
    await bob.happen({ type: 'FriendRequestReceived', data })
  }
  await alice.decide((deciding) => requestFriend(deciding, bob.id))
  await world.clock.pass(5 * MINUTE)
  t.equal(alice.view.contact(bob.id)?.requestSent, false)
  t.equal(bob.view.contact(alice.id), undefined)
  await bob.happen({ type: 'FriendRejected', data: { id: crowd[0] ?? '' } })
  await world.must(() => alice.view.contact(bob.id)?.requestSent === true, 'there is room', 60 * MINUTE)
  t.equal(bob.view.contact(alice.id)?.state, 'incoming')
  await world.end()
})

t.test('SND-5 RCV-1 ES-1 a message goes queued, sent, delivered, read, and each is a fact', async (t) => {
  const { world, alice, bob } = await linkedFriends('states')
  const wire: Uint8Array[] = []
  world.network.onBytes = (_from, _to, bytes) => wire.push(bytes)
  await world.say(alice, bob, 'the plain text of it')
  const state = () => alice.view.conversation(bob.id)[0]?.state
  t.equal(state(), 'queued')
  await world.must(() => state() === 'sent', 'sent')
  await world.must(() => state() === 'delivered', 'delivered')
  t.equal(count(bob, 'MessageReceived'), 1)
  const received = bob.facts.find((fact) => fact.type === 'MessageReceived')
  t.match(received?.data, { kind: 'text', from: alice.id, how: 'link' })
  await bob.decide((deciding) => showConversation(deciding, alice.id, bob.view.unshown(alice.id)))
  await world.must(() => state() === 'read', 'read')
  t.notOk(
    wire.some((bytes) => Buffer.from(bytes).includes('plain text')),
    'nothing of it on the line',
  )
  t.ok(
    wire.every((bytes) => bytes.length % 256 === 16),
    'frames come in steps',
  )
  await world.end()
})

t.test('SND-3 what is written to someone offline survives restarts and is brought on return', async (t) => {
  const { world, alice, bob } = await linkedFriends('offline')
  await bob.stop()
  for (const text of ['one', 'two', 'three']) await world.say(alice, bob, text)
  await world.clock.pass(5 * MINUTE)
  await alice.crash()
  t.same(bob.up, false)
  await alice.start()
  t.equal(alice.view.outboxPeers()[0]?.pending, 3)
  await world.clock.pass(MINUTE)
  await bob.start()
  await world.settled(alice, bob)
  t.same(bob.texts(alice.id), ['one', 'two', 'three'])
  await world.end()
})

t.test(
  'SND-2 who moved is found through the tracker, by the one who stayed, with no user action',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('moved')
    await bob.crash()
    bob.onEffect = (effect) => effect.kind !== 'dial'
    bob.move('8.0.9.9:4443')
    await bob.start()
    await world.say(alice, bob, 'where are you')
    await world.must(() => bob.texts(alice.id).length === 1, 'found', 2 * MINUTE)
    t.same(alice.view.contact(bob.id)?.endpoints, ['8.0.9.9:4443'])
    t.ok(alice.facts.some((fact) => fact.type === 'ContactEndpointsLearned' && fact.data.how === 'tracker'))
    await world.end()
  },
)

t.test(
  'SND-2 ARC-1 who moved says so over the link, and is dialled there when all trackers are dead',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('said')
    world.tracker.up = false
    bob.move('8.0.9.8:4443')
    await world.settled(alice, bob)
    await world.must(() => alice.view.contact(bob.id)?.endpoints[0] === '8.0.9.8:4443', 'told over the link')
    bob.onEffect = (effect) => effect.kind !== 'dial'
    world.network.cutAll(bob)
    await world.say(alice, bob, 'still there')
    await world.must(() => bob.texts(alice.id).length === 1, 'dialled at the new place')
    t.notOk(
      alice.facts.some((fact) => fact.type === 'ContactEndpointsLearned' && fact.data.how === 'tracker'),
    )
    await world.end()
  },
)

t.test('ARC-1 friends at known addresses talk without any tracker, through restarts', async (t) => {
  const world = new World('no tracker')
  const [alice, bob] = [
    await world.person('alice', { trackers: [] }),
    await world.person('bob', { trackers: [] }),
  ]
  await world.oldFriends(alice, bob)
  await world.settled(alice, bob)
  await bob.crash()
  await world.say(alice, bob, 'one')
  await world.clock.pass(MINUTE)
  await bob.start()
  await world.settled(alice, bob)
  t.same(bob.texts(alice.id), ['one'])
  await world.end()
})

t.test('RCV-4 letters sent again after lost acknowledgements are shown once', async (t) => {
  const { world, alice, bob } = await linkedFriends('acks lost')
  // Bob's acknowledgements do not leave his machine; then the link goes.
  bob.onEffect = (effect) => effect.kind !== 'send'
  for (const text of ['one', 'two', 'three']) await world.say(alice, bob, text)
  await world.must(() => bob.texts(alice.id).length === 3, 'they have come')
  t.same(alice.view.outboxPeers()[0]?.pending, 3, 'but Alice does not know')
  bob.onEffect = () => true
  world.network.cutAll(bob)
  await world.settled(alice, bob)
  t.same(bob.texts(alice.id), ['one', 'two', 'three'])
  t.equal(count(bob, 'MessageReceived'), 3)
  t.equal(count(alice, 'MessageDelivered'), 3)
  await world.end()
})

t.test(
  'RCV-4 letters that come in another order than they were written are shown by time stamp',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('order')
    const at = world.clock.now
    const written = (text: string, now: number) =>
      alice.decide((deciding) => [
        queueLetter({ ...deciding, now }, bob.id, { kind: 'text', body: { text } }).fact,
      ])
    await written('third', at - 1_000)
    await world.settled(alice, bob)
    await written('first', at - 3_000)
    await world.settled(alice, bob)
    await written('second', at - 2_000)
    await world.settled(alice, bob)
    t.same(bob.texts(alice.id), ['first', 'second', 'third'])
    await world.end()
  },
)

t.test('SND-3 nothing is acknowledged that is not durable', async (t) => {
  const { world, alice, bob } = await linkedFriends('disk')
  bob.onEffect = (effect) => effect.kind !== 'append'
  await world.say(alice, bob, 'the disk is slow')
  await world.clock.pass(20_000)
  t.equal(alice.view.conversation(bob.id)[0]?.state, 'sent')
  await bob.crash()
  bob.onEffect = () => true
  await bob.start()
  await world.settled(alice, bob)
  t.same(bob.texts(alice.id), ['the disk is slow'])
  await world.end()
})

t.test(
  'SND-3 a crash between the log and the acknowledgement loses nothing and shows nothing twice',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('crash')
    await world.say(alice, bob, 'precious')
    await world.must(() => count(bob, 'MessageReceived') === 1, 'durable, not told yet')
    t.equal(bob.linked.length, 1)
    await bob.crash()
    await world.clock.pass(200)
    t.equal(alice.view.outboxPeers()[0]?.pending, 1, 'no acknowledgement left')
    await bob.start()
    await world.settled(alice, bob)
    t.same(bob.texts(alice.id), ['precious'])
    t.equal(count(bob, 'MessageReceived'), 1)
    await world.end()
  },
)

t.test('SND-3 more letters than the window, and a sender that crashes in the middle of them', async (t) => {
  const { world, alice, bob } = await linkedFriends('window')
  const texts = Array.from({ length: 80 }, (_, i) => `letter ${String(i).padStart(2, '0')}`)
  for (const text of texts) await world.say(alice, bob, text)
  await world.must(() => bob.texts(alice.id).length > 20, 'some')
  await alice.crash()
  await alice.start()
  await world.settled(alice, bob)
  t.same(bob.texts(alice.id), texts)
  t.equal(count(bob, 'MessageReceived'), 80)
  await world.end()
})

t.test(
  'FRD-2 SND-3 who forgot a friend and asks again gets the acceptance before, and all, of what waits',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('forgot')
    await bob.happen({ type: 'ContactRemoved', data: { id: alice.id } })
    await world.clock.pass(1_000)
    const texts = Array.from({ length: 70 }, (_, i) => `text ${String(i).padStart(2, '0')}`)
    for (const text of texts) await world.say(alice, bob, text)
    await bob.decide((deciding) => requestFriend(deciding, alice.id))
    await world.must(() => areFriends(alice, bob), 'friends')
    await world.must(() => bob.texts(alice.id).length === texts.length, 'all has come', 2 * MINUTE)
    t.same(bob.texts(alice.id), texts)
    await world.settled(alice, bob)
    await world.end()
  },
)

t.test(
  'SND-3 letters that stay without an answer are sent again, rarer each time, and hold up nothing',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('no answer')
    // Bob keeps nothing of these and says nothing, as a version that does not know their kind.
    bob.onEffect = (effect) => {
      const [fact] = effect.kind === 'append' ? effect.facts : []
      return !(fact?.type === 'MessageReceived' && fact.data.kind === 'text' && fact.data.body.text === 'odd')
    }
    let letters = 0
    alice.onEffect = (effect) => {
      if (effect.kind === 'send' && effect.bytes.length > 1_200) letters++
      return true
    }
    for (let i = 0; i < 70; i++) await world.say(alice, bob, 'odd')
    await world.say(alice, bob, 'even')
    await world.must(() => bob.texts(alice.id).includes('even'), 'the rest gets through', 2 * MINUTE)
    await world.clock.pass(20 * MINUTE)
    const before = letters
    await world.clock.pass(10 * MINUTE)
    t.ok(letters - before >= 50 && letters - before <= 160, `${letters - before} in ten minutes`)
    t.equal(alice.view.outboxPeers()[0]?.pending, 70)
    t.equal(
      alice.facts.filter(({ type }) => type === 'MessageSent').length,
      71,
      'each is sent once for the log',
    )
    await world.end()
  },
)

t.test('two who dial each other at once keep one link, the same at both ends', async (t) => {
  const { world, alice, bob } = await linkedFriends('at once')
  for (let round = 0; round < 3; round++) {
    world.network.cutAll(alice)
    await world.clock.pass(10)
    const before = world.network.dials
    await world.say(alice, bob, `from alice ${round}`)
    await world.say(bob, alice, `from bob ${round}`)
    await world.settled(alice, bob)
    await world.clock.pass(10_000)
    t.same([alice.linked, bob.linked], [[bob.id], [alice.id]])
    t.equal(
      world.network.dials - before,
      2,
      'each dialled once; the link that stays is not lost with the other',
    )
  }
  t.equal(count(alice, 'MessageReceived') + count(bob, 'MessageReceived'), 6)
  await world.end()
})

t.test('a connection that swallows everything is noticed, and what went into it is sent again', async (t) => {
  const { world, alice, bob } = await linkedFriends('black hole')
  world.network.part('alice', 'bob')
  await world.say(alice, bob, 'into the dark')
  await world.clock.pass(100 * 1_000)
  t.same([alice.linked, bob.linked], [[], []], 'both noticed within about a minute')
  world.network.heal()
  await world.settled(alice, bob)
  t.same(bob.texts(alice.id), ['into the dark'])
  await world.end()
})

t.test('a run that listens nowhere brings what is queued, and calls nobody else', async (t) => {
  const { world, alice, bob } = await linkedFriends('one shot')
  const carol = await world.person('carol')
  await world.oldFriends(alice, carol)
  await world.settled(alice, carol)
  await alice.stop()
  await world.clock.pass(MINUTE)
  carol.onEffect = bob.onEffect = (effect) => effect.kind !== 'dial'
  await alice.start({ listen: false })
  await world.clock.pass(5_000)
  t.same(alice.linked, [])
  await world.say(alice, bob, 'just this')
  await world.must(() => alice.view.outboxPeers().length === 0, 'delivered', 20_000)
  t.same(alice.linked, [bob.id])
  await world.end()
})

t.test(
  'letters nobody would take any more are given up, but not by a clock that has just leapt',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('too old')
    await bob.stop()
    await world.say(alice, bob, 'soon')
    await alice.stop()
    world.tracker.up = false
    await world.clock.pass(61 * DAY)
    await alice.start()
    await bob.start()
    await world.must(() => alice.linked.includes(bob.id), 'linked')
    await world.clock.pass(MINUTE)
    t.equal(alice.view.conversation(bob.id)[0]?.state, 'sent', 'the date may be wrong')
    await bob.crash()
    await world.clock.pass(DAY)
    await bob.start()
    await world.settled(alice, bob)
    t.equal(alice.view.conversation(bob.id)[0]?.state, 'failed')
    t.ok(world.clock.now - NOON > 60 * DAY)
    await world.end()
  },
)

t.test(
  'a contact in no known place is asked after ever more rarely, also beside an address typed by hand',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('typed')
    const typed = ['7.7.7.7:9000', ...(alice.view.contact(bob.id)?.endpoints ?? [])]
    await alice.happen({
      type: 'ContactEndpointsLearned',
      data: { id: bob.id, endpoints: typed, how: 'hand' },
    })
    await world.clock.pass(3_000)
    await bob.crash()
    await world.clock.pass(5 * MINUTE)
    const [facts, dials] = [alice.facts.length, world.network.dials]
    // The network says again what it said: no news, whoever wrote it down.
    for (let i = 0; i < 10; i++) {
      await alice.happen({
        type: 'ContactEndpointsLearned',
        data: { id: bob.id, endpoints: [...typed].slice(1), how: 'tracker' },
      })
      await world.clock.pass(MINUTE)
    }
    t.equal(alice.facts.length - facts, 10, 'and not a fact of her own')
    t.ok(world.network.dials - dials <= 24, `${world.network.dials - dials} dials in ten minutes`)
    await world.end()
  },
)

t.test('links that do not hold are made ever more rarely', async (t) => {
  const { world, alice, bob } = await linkedFriends('flapping')
  bob.onEffect = (effect) => effect.kind !== 'dial'
  const before = world.network.dials
  for (let i = 0; i < 600; i++) {
    await world.clock.pass(1_000)
    if (alice.linked.length > 0) world.network.cutAll(bob)
  }
  t.ok(world.network.dials - before < 20, `${world.network.dials - before} dials in ten minutes`)
  await world.end()
})

t.test('a friend who says another address with every breath fills no log', async (t) => {
  const { world, alice, bob } = await linkedFriends('restless')
  for (let i = 0; i < 40; i++) {
    bob.says([`8.3.0.${i + 1}:8080`])
    await world.clock.pass(1_000)
  }
  t.equal(count(alice, 'ContactEndpointsLearned'), 20)
  t.ok(alice.linked.includes(bob.id))
  await world.end()
})
