import t from 'tap'
import { changeStatus } from '../src/profile/decisions/change-status.js'
import { decide, type Evidence } from '../src/net/presence/decide.js'
import type { SimNode } from './fixtures/simulator/sim-node.js'
import { MINUTE, World } from './fixtures/simulator/world.js'

async function linkedFriends(seed: string) {
  const world = new World(seed)
  const [alice, bob] = [await world.person('alice'), await world.person('bob')]
  await world.oldFriends(alice, bob)
  await world.settled(alice, bob)
  await world.clock.pass(3_000)
  return { world, alice, bob }
}

async function check(world: World, asker: SimNode, who: SimNode) {
  const ticket = asker.command({ kind: 'check', who: who.id })
  await world.must(() => asker.outcomes.has(ticket), 'an answer', 2 * MINUTE)
  return asker.outcomes.get(ticket)
}

t.test('PRE-2 the decision tree, branch by branch', (t) => {
  const record = (status: 'online' | 'offline', moved: boolean) =>
    ({ kind: 'record', status, moved }) as const
  const silent = { kind: 'silent' } as const
  const rows: readonly [string, Evidence, object][] = [
    [
      'normal response',
      { direct: 'passed', tracker: null, recheck: null },
      { status: 'online', how: 'check' },
    ],
    ['no response', { direct: 'failed', tracker: null, recheck: null }, { next: 'ask-tracker' }],
    [
      'updated, online',
      { direct: 'failed', tracker: record('online', true), recheck: null },
      { next: 'recheck' },
    ],
    [
      'updated, offline',
      { direct: 'failed', tracker: record('offline', true), recheck: null },
      { next: 'recheck' },
    ],
    [
      'updated, passed',
      { direct: 'failed', tracker: record('online', true), recheck: 'passed' },
      { status: 'online', how: 'check' },
    ],
    [
      'updated to offline, passed',
      { direct: 'failed', tracker: record('offline', true), recheck: 'passed' },
      { status: 'online', how: 'check' },
    ],
    [
      'updated, not passed',
      { direct: 'failed', tracker: record('online', true), recheck: 'failed' },
      { status: 'offline', how: 'check' },
    ],
    [
      'updated to offline, not passed',
      { direct: 'failed', tracker: record('offline', true), recheck: 'failed' },
      { status: 'offline', how: 'check' },
    ],
    [
      'not updated, offline',
      { direct: 'failed', tracker: record('offline', false), recheck: null },
      { status: 'offline', how: 'tracker' },
    ],
    [
      'not updated, online',
      { direct: 'failed', tracker: record('online', false), recheck: null },
      { status: 'unknown', how: 'tracker' },
    ],
    [
      'trackers silent',
      { direct: 'failed', tracker: silent, recheck: null },
      { status: 'unknown', how: 'tracker' },
    ],
  ]
  for (const [name, evidence, expected] of rows) t.match(decide(evidence), expected, name)
  t.end()
})

t.test('PRE-1 a check is a random number, and only the right answer passes', async (t) => {
  const { world, alice, bob } = await linkedFriends('check')
  t.match(await check(world, alice, bob), { kind: 'check', status: 'online', how: 'check', age: 0 })
  t.equal(alice.view.presence(bob.id).status, 'online')
  // A peer whose answers do not come is not believed, and the link is not kept.
  const links = alice.facts.length
  bob.onEffect = (effect) => effect.kind !== 'send' && effect.kind !== 'dial'
  t.match(await check(world, alice, bob), { kind: 'check', status: 'unknown', how: 'tracker' })
  t.same(alice.linked, [])
  t.ok(alice.facts.length > links)
  await world.end()
})

t.test('PRE-1 an answer that only looks right does not pass', async (t) => {
  const { world, alice, bob } = await linkedFriends('wrong answer')
  // Bob's public key is known to all, so the MD5 that was asked for is right; the pair key is not.
  Object.defineProperty(bob.vault, 'pairKey', { value: () => Buffer.alloc(32) })
  t.match(await check(world, alice, bob), { kind: 'check', status: 'unknown' })
  t.same(alice.linked, [])
  await world.end()
})

t.test('PRE-2 gone without a word is unknown; gone politely is offline; back is online', async (t) => {
  const { world, alice, bob } = await linkedFriends('gone')
  await bob.crash()
  await world.must(
    () => alice.view.presence(bob.id).status === 'unknown',
    'the tracker still says online',
    MINUTE,
  )
  t.match(await check(world, alice, bob), { status: 'unknown' })
  await bob.start()
  await world.must(() => alice.view.presence(bob.id).status === 'online', 'back')
  t.equal(alice.view.presence(bob.id).how, 'link')
  await bob.stop()
  await world.must(() => alice.view.presence(bob.id).status === 'offline', 'said so', MINUTE)
  t.equal(alice.view.presence(bob.id).how, 'tracker')
  const changes = alice.facts.filter((fact) => fact.type === 'ContactStatusChanged').length
  await world.clock.pass(60 * MINUTE)
  const later = alice.facts.filter((fact) => fact.type === 'ContactStatusChanged').length
  t.equal(later, changes, 'a status that stays is told once')
  await world.end()
})

t.test('PRE-2 a new place that the tracker knows is checked again, and that decides', async (t) => {
  const { world, alice, bob } = await linkedFriends('new place')
  await bob.crash()
  await world.clock.pass(MINUTE)
  bob.onEffect = (effect) => effect.kind !== 'dial'
  bob.move('8.0.3.3:8080')
  await bob.start()
  await world.clock.pass(2_000)
  t.match(await check(world, alice, bob), { status: 'online', how: 'check' })
  await bob.crash()
  await world.clock.pass(2_000)
  bob.move('8.0.3.4:8080')
  for (const other of ['bob', 'tracker']) world.network.part('alice', other)
  await bob.start()
  await world.clock.pass(1_000)
  await bob.crash()
  world.network.heal()
  t.match(
    await check(world, alice, bob),
    { status: 'offline', how: 'check' },
    'announced there, and not found there',
  )
  await world.end()
})

t.test(
  'PRE-6 offline by hand: links end, nobody gets in, friends see it; online again: all of it back',
  async (t) => {
    const { world, alice, bob } = await linkedFriends('by hand')
    await bob.decide((deciding) => changeStatus(deciding, 'offline'))
    await world.must(() => alice.view.presence(bob.id).status === 'offline', 'seen', MINUTE)
    await world.say(alice, bob, 'later then')
    await world.clock.pass(5 * MINUTE)
    t.same([alice.linked, bob.linked, bob.texts(alice.id)], [[], [], []])
    await bob.crash()
    await bob.start()
    await world.clock.pass(MINUTE)
    t.same(bob.linked, [], 'a restart does not go online by itself')
    await bob.decide((deciding) => changeStatus(deciding, 'online'))
    await world.settled(alice, bob)
    t.same(bob.texts(alice.id), ['later then'])
    t.equal(alice.view.presence(bob.id).status, 'online')
    await world.end()
  },
)

t.test(
  'TRK-6 own records are kept up: renewed, moved over the change of periods, announced when asked',
  async (t) => {
    const world = new World('records')
    const [alice, bob] = [await world.person('alice'), await world.person('bob')]
    await world.clock.pass(1_000)
    const announced = bob.command({ kind: 'announce' })
    const checked = bob.command({ kind: 'tracker-check' })
    await world.must(() => bob.outcomes.has(announced) && bob.outcomes.has(checked), 'answers')
    t.match(bob.outcomes.get(announced), { kind: 'done' })
    t.match(bob.outcomes.get(checked), { trackers: [{ url: world.tracker.url, ok: true }] })
    await alice.crash()
    await world.clock.pass(26 * 60 * MINUTE)
    await alice.start()
    const found = alice.command({ kind: 'lookup', id: bob.id })
    await world.must(() => alice.outcomes.has(found), 'an answer')
    t.match(alice.outcomes.get(found), { reachable: true }, 'two days later')
    world.tracker.up = false
    const dead = bob.command({ kind: 'announce' })
    const ill = bob.command({ kind: 'tracker-check' })
    await world.must(() => bob.outcomes.has(dead) && bob.outcomes.has(ill), 'answers')
    t.match(bob.outcomes.get(dead), { kind: 'refused', code: 'tracker-unreachable' })
    t.match(bob.outcomes.get(ill), { trackers: [{ url: world.tracker.url, ok: false }] })
    await world.end()
  },
)

t.test('an introduction key is drawn each month, and the last one still opens the door', async (t) => {
  const world = new World('months')
  const alice = await world.person('alice')
  await world.clock.pass(1_000)
  const first = alice.view.self()?.introductionKeys.at(-1)
  await alice.crash()
  await world.clock.pass(30 * 24 * 60 * MINUTE)
  await alice.start()
  await world.clock.pass(24 * 60 * MINUTE)
  const keys = alice.view.self()?.introductionKeys ?? []
  t.equal(keys.length, 2)
  t.same(keys[0]?.public, first?.public)
  await world.end()
})
