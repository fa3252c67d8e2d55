import t from 'tap'
import { seededRng } from '../src/foundation/rng.js'
import type { SimNode } from './fixtures/simulator/sim-node.js'
import { MINUTE, World } from './fixtures/simulator/world.js'

const SEEDS = 16
const MESSAGES = 8

type Fault = (world: World, node: SimNode, random: (below: number) => number) => Promise<void> | void

const FAULTS: readonly Fault[] = [
  (world, node) => world.network.cutAll(node),
  (world) => world.network.part('alice', 'bob'),
  (world) => world.network.heal(),
  (_world, node, random) => node.move(`8.1.${random(200)}.${1 + random(200)}:8080`),
  async (world, node, random) => {
    if (!node.up) return
    await node.crash()
    world.clock.after(random(20_000), () => (node.up ? undefined : node.start()))
  },
  (world) => {
    world.tracker.up = !world.tracker.up
  },
]

/** One short schedule of writing and faults, all drawn from the seed; returns what each should have got. */
async function run(seed: string) {
  const world = new World(seed)
  const [alice, bob] = [await world.person('alice'), await world.person('bob')]
  await world.oldFriends(alice, bob)
  const drawn = seededRng(`faults ${seed}`)
  const random = (below: number) => drawn.bytes(4).readUInt32BE() % below
  world.network.faults = { delay: [5, 400], dialLoss: 0.2, datagramLoss: 0.2, datagramTwice: 0.2 }
  const said = new Map<SimNode, string[]>([
    [alice, []],
    [bob, []],
  ])
  for (let i = 0; i < MESSAGES; i++) {
    await world.clock.pass(1 + random(15_000))
    const [from, to] = random(2) === 0 ? [alice, bob] : [bob, alice]
    if (from.up) {
      await world.say(from, to, `${seed} ${i}`)
      said.get(to)?.push(`${seed} ${i}`)
    }
    const node = random(2) === 0 ? alice : bob
    await world.clock.pass(random(300))
    await FAULTS[random(FAULTS.length)]?.(world, node, random)
  }
  world.network.heal()
  world.network.faults = { delay: [5, 100], dialLoss: 0, datagramLoss: 0, datagramTwice: 0 }
  world.tracker.up = true
  await world.clock.pass(20_000)
  for (const node of [alice, bob]) if (!node.up) await node.start()
  return { world, alice, bob, said }
}

t.test(
  `SND-3 RCV-4 under ${SEEDS} schedules of faults everything arrives exactly once, in order`,
  async (t) => {
    for (let n = 0; n < SEEDS; n++) {
      const { world, alice, bob, said } = await run(`seed ${n}`)
      await world.settled(alice, bob)
      await world.clock.pass(MINUTE)
      for (const [me, other] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        const received = me.view.conversation(other.id).filter((message) => message.direction === 'in')
        t.same(
          received.map((message) => message.text),
          said.get(me),
          `seed ${n}: ${me.name} has all, in order`,
        )
        const facts = me.facts.filter((fact) => fact.type === 'MessageReceived')
        const ids = facts.map((fact) => fact.data.messageId)
        t.equal(new Set(ids).size, ids.length, `seed ${n}: ${me.name} kept nothing twice`)
      }
      t.same([alice.linked, bob.linked], [[bob.id], [alice.id]], `seed ${n}: one link`)
      await world.end()
    }
  },
)

t.test('the same seed gives the same story', async (t) => {
  const story = async () => {
    const { world, alice, bob } = await run('again')
    await world.settled(alice, bob)
    const told = [alice, bob].map((node) => node.facts.map(({ type, at, seq }) => `${type} ${at} ${seq}`))
    await world.end()
    return told
  }
  t.same(await story(), await story())
})
