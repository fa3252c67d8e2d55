import t from 'tap'
import type { FactOf, FactType } from '../src/events/vocabulary/facts.js'
import { seededRng } from '../src/foundation/rng.js'
import { DEVICE_ID_BYTES, deviceStatement } from '../src/keys/device-statement.js'
import { queueLetter } from '../src/profile/decisions/queue-letter.js'
import { queueMessage } from '../src/profile/decisions/queue-message.js'
import type { SimNode } from './fixtures/simulator/sim-node.js'
import { CALM } from './fixtures/simulator/network.js'
import { MINUTE, World } from './fixtures/simulator/world.js'

const DAY = 86_400_000
const SEEDS = 4

const device = (name: string) => seededRng(`device ${name}`).bytes(DEVICE_ID_BYTES)

function factsOf<T extends FactType>(node: SimNode, type: T): FactOf<T>[] {
  return node.facts.filter((fact): fact is FactOf<T> => fact.type === type)
}

/** Alice and Bob, friends and linked; what was written until now has arrived. */
async function linkedFriends(seed: string) {
  const world = new World(seed)
  const [alice, bob] = [await world.person('alice'), await world.person('bob')]
  await world.oldFriends(alice, bob)
  await world.settled(alice, bob)
  await world.say(alice, bob, 'from the old device')
  await world.settled(alice, bob)
  await world.clock.pass(1_000)
  return { world, alice, bob }
}

const stoodDown = (node: SimNode) => {
  const self = node.view.self()
  return self?.superseded !== null || self.deviceConflict !== null
}

t.test('DEV-1 Alice moves; the device she left learns it from Bob, says goodbye and is silent', async (t) => {
  const { world, alice, bob } = await linkedFriends('moved, told by a contact')
  world.tracker.up = false
  const phone = world.device('phone', alice)
  await phone.start()
  await world.must(() => stoodDown(alice), 'the old device knows')
  t.match(alice.view.self()?.superseded, { epoch: 2, how: 'contact' })
  t.match(factsOf(alice, 'DeviceSuperseded'), [{ data: { by: bob.id, how: 'contact' } }])
  await world.settled(phone, bob)
  t.same([alice.linked, bob.linked], [[], [alice.id]], 'Bob talks to one device')
  t.match(bob.view.contact(alice.id), { device: { epoch: 2 }, rival: null, doubt: null })

  const dials = factsOf(alice, 'ContactStatusChanged').length
  const text = { kind: 'text', body: { text: 'nobody hears this' } } as const
  await alice.decide((deciding) => [queueLetter(deciding, bob.id, text).fact])
  await world.say(phone, bob, 'from the new device')
  await world.say(bob, phone, 'good')
  await world.settled(phone, bob)
  await world.clock.pass(30 * MINUTE)
  t.same(bob.texts(alice.id), ['from the old device', 'from the new device', 'good'])
  t.same(alice.texts(bob.id), ['from the old device', 'nobody hears this'], 'its log stays readable')
  t.equal(alice.view.outbox(bob.id).length, 1, 'what was not sent stays where it was')
  t.equal(factsOf(alice, 'ContactStatusChanged').length, dials, 'it asks after nobody')
  const ticket = alice.command({ kind: 'check', who: bob.id })
  await world.clock.pass(1_000)
  t.match(alice.outcomes.get(ticket), { kind: 'refused', code: 'superseded' })
  await alice.crash()
  await alice.start()
  await world.clock.pass(10 * MINUTE)
  t.same([alice.linked, factsOf(alice, 'DeviceActivated').length], [[], 1], 'nor after a restart')
  await world.end()
})

t.test('DEV-1 with no contact in reach the tracker alone tells the old device', async (t) => {
  const { world, alice, bob } = await linkedFriends('moved, told by the tracker')
  await bob.stop()
  const phone = world.device('phone', alice)
  await phone.start()
  await world.must(() => stoodDown(alice), 'the old device knows', 15 * MINUTE)
  t.match(alice.view.self()?.superseded, { epoch: 2, how: 'tracker' })
  t.notOk(stoodDown(phone), 'and the new one was not misled by what the old one had published')
  await alice.stop()
  await world.clock.pass(MINUTE)
  await bob.start()
  await world.must(() => bob.linked.includes(alice.id), 'Bob finds the new device by its record')
  await world.say(bob, phone, 'found you')
  await world.settled(phone, bob)
  t.equal(phone.texts(bob.id).at(-1), 'found you')
  await world.end()
})

t.test(
  'DEV-1 two devices active in one epoch: both stop, Bob doubts, and a newer epoch settles it',
  async (t) => {
    for (const way of ['contact', 'tracker'] as const) {
      const { world, alice, bob } = await linkedFriends(`two active ${way}`)
      if (way === 'contact') world.tracker.up = false
      else await bob.stop()
      await alice.stop()
      const [phone, tablet] = [world.device('phone', alice), world.device('tablet', alice)]
      await Promise.all([phone.start(), tablet.start()])
      await world.must(() => stoodDown(phone) && stoodDown(tablet), `both know from the ${way}`, 30 * MINUTE)
      for (const node of [phone, tablet]) {
        t.match(node.view.self(), { superseded: null, deviceConflict: { epoch: 2, how: way } })
        t.equal(factsOf(node, 'MessageReceived').length, 0, 'nothing was taken from either')
      }
      if (way === 'contact') {
        t.match(bob.view.contact(alice.id), {
          doubt: 'two devices',
          device: { epoch: 2 },
          rival: { epoch: 2 },
        })
        t.equal(factsOf(bob, 'ContactDoubted').length, 1)
        await world.say(bob, alice, 'which one are you?')
        await world.clock.pass(10 * MINUTE)
        t.same([bob.linked, bob.view.outbox(alice.id).length], [[], 1], 'Bob keeps what he wrote')
        const laptop = world.device('laptop', phone)
        await Promise.all([phone.stop(), tablet.stop()])
        await laptop.start()
        await world.must(() => laptop.texts(bob.id).length === 2, 'a third device, in epoch 3, is heard')
        t.match(bob.view.contact(alice.id), { doubt: 'two devices', device: { epoch: 3 }, rival: null })
      }
      await world.end()
    }
  },
)

t.test('DEV-1 Mallory, a contact, supersedes nobody with what she can write herself', async (t) => {
  const { world, alice, bob } = await linkedFriends('lies')
  const statementOf = (who: SimNode, name: string, epoch: number) =>
    deviceStatement({ ...who.identity, epoch, device: device(name), at: world.clock.now })
  const own = { epoch: 2, device: device('of Alice'), statement: statementOf(alice, 'of Alice', 2) }
  await alice.happen({ type: 'DeviceActivated', data: own })
  await world.must(() => bob.view.contact(alice.id)?.device?.epoch === 2, 'Bob has seen it')
  const newer = statementOf(alice, 'of Alice, later', 9)
  const lies: readonly Uint8Array[] = [
    statementOf(bob, 'of Bob', 9),
    Buffer.alloc(123, 1),
    Buffer.from(newer).fill(0, 122),
    statementOf(alice, 'of Alice, before', 1),
    own.statement,
  ]
  await world.must(() => bob.linked.includes(alice.id), 'linked')
  for (const lie of lies) {
    t.ok(bob.utter(alice.id, { type: 'superseded', statement: lie }))
    await world.clock.pass(1_000)
    t.notOk(stoodDown(alice))
  }
  t.ok(bob.utter(alice.id, { type: 'superseded', statement: newer }))
  await world.must(() => stoodDown(alice), 'only her own signature does', MINUTE)
  t.match(alice.view.self()?.superseded, { epoch: 9, how: 'contact' })
  await world.end()
})

t.test('DEV-1 restarts are no second device; one directory that runs twice is doubted', async (t) => {
  const { world, alice, bob } = await linkedFriends('twice')
  for (let i = 0; i < 3; i++) {
    await alice.crash()
    await world.clock.pass(2_000)
    await alice.start()
    await world.must(() => bob.linked.includes(alice.id) && alice.linked.includes(bob.id), 'linked again')
  }
  await world.clock.pass(MINUTE)
  t.equal(bob.view.contact(alice.id)?.doubt, null)
  const twin = world.device('alice', alice)
  await twin.start()
  await world.must(() => bob.view.contact(alice.id)?.doubt === 'two devices', 'they take turns', 30 * MINUTE)
  await world.clock.pass(10 * MINUTE)
  t.equal(factsOf(bob, 'ContactDoubted').length, 1, 'said once')
  await world.end()
})

t.test(
  'DEV-1 an older copy of the log gets what it has lost once more, and not what was forgotten',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('older copy')
    await world.say(bob, alice, 'to be forgotten')
    await world.say(bob, alice, 'kept')
    await world.settled(alice, bob)
    const [first] = alice.view.conversation(bob.id).filter(({ direction }) => direction === 'in')
    const letters = [{ messageId: first?.messageId ?? '', day: Math.floor((first?.sentAt ?? 0) / DAY) }]
    await alice.happen({ type: 'ContentForgotten', data: { letters, seqs: [], why: 'asked' } })
    const copy = alice.files()
    for (const text of ['lost 1', 'lost 2', 'lost 3']) await world.say(bob, alice, text)
    await world.say(alice, bob, 'of this the copy knows nothing')
    await world.settled(alice, bob)
    await world.clock.pass(MINUTE)
    await alice.crash()
    await bob.decide((deciding) => queueMessage(deciding, alice.id, 'while she was away').facts)
    alice.restore(copy)
    t.same(factsOf(bob, 'MessagesRequeued'), [])
    await alice.start()
    await world.must(() => alice.texts(bob.id).length >= 6, 'what was lost comes again')
    await world.settled(alice, bob)
    const whole = ['from the old device', 'kept', 'lost 1', 'lost 2', 'lost 3', 'while she was away']
    t.same(alice.texts(bob.id), whole)
    t.equal(bob.view.contact(alice.id)?.doubt, null, 'nothing is wrong with her')
    t.match(factsOf(bob, 'MessagesRequeued'), [{ data: { to: alice.id } }])
    t.equal(factsOf(bob, 'MessagesRequeued')[0]?.data.messageIds.length, 3, 'no more than was lost')

    for (let i = 0; i < 3; i++) {
      world.network.cutAll(alice)
      await world.clock.pass(2 * MINUTE)
      await world.settled(alice, bob)
    }
    await bob.crash()
    await bob.start()
    await world.settled(alice, bob)
    t.equal(factsOf(bob, 'MessagesRequeued').length, 1, 'never again')
    t.same(alice.texts(bob.id), whole)
    t.same(
      bob.view
        .conversation(alice.id)
        .map(({ state }) => state)
        .filter((state) => state === 'queued'),
      [],
    )
    await world.end()
  },
)

t.test(
  'DEV-1 a contact that claims to have lost everything, again and again, is heard four times an hour',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('forgetful')
    for (let i = 0; i < 8; i++) {
      await world.must(() => alice.linked.includes(bob.id) && bob.linked.includes(alice.id), 'linked')
      bob.utter(alice.id, { type: 'have', since: 0, tags: Buffer.alloc(8000) })
      await world.clock.pass(MINUTE)
      world.network.cutAll(bob)
      await world.clock.pass(MINUTE)
    }
    const sent = factsOf(alice, 'MessagesRequeued')
    t.ok(sent.length > 0 && sent.length <= 4, `${sent.length} times`)
    t.same(bob.texts(alice.id), ['from the old device'], 'and gets what he had')
    await world.end()
  },
)

t.test('DEV-1 through loss, cuts and crashes a move loses nothing that was written to Alice', async (t) => {
  for (let n = 0; n < SEEDS; n++) {
    const { world, alice, bob } = await linkedFriends(`move ${n}`)
    const drawn = seededRng(`move ${n}`)
    const random = (below: number) => drawn.bytes(4).readUInt32BE() % below
    world.network.faults = { delay: [5, 400], dialLoss: 0.2, datagramLoss: 0.2, datagramTwice: 0.2 }
    const said: string[] = []
    const saying = async (times: number, to: SimNode) => {
      for (let i = 0; i < times; i++) {
        await world.say(bob, to, `${n} ${said.length}`)
        said.push(`${n} ${said.length}`)
        await world.clock.pass(random(4_000))
        if (random(3) === 0) world.network.cutAll(bob)
      }
    }
    await saying(3, alice)
    const phone = world.device('phone', alice)
    await saying(3, alice)
    await phone.start()
    await saying(3, phone)
    if (random(2) === 0) {
      await phone.crash()
      await world.clock.pass(random(5_000))
      await phone.start()
    }
    world.network.faults = { ...CALM }
    await world.must(() => stoodDown(alice), `seed ${n}: the old device knows`, 30 * MINUTE)
    await world.settled(phone, bob)
    const got = phone.view.conversation(bob.id).filter(({ direction }) => direction === 'in')
    t.same(
      got.map(({ text }) => text),
      said,
      `seed ${n}: all, once, in order`,
    )
    t.same([stoodDown(phone), bob.view.contact(alice.id)?.doubt], [false, null], `seed ${n}: no doubt`)
    await world.end()
  }
})
