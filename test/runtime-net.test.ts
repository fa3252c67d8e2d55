import t from 'tap'
import type { Fact, StoredFact } from '../src/events/vocabulary/facts.js'
import { SottoError } from '../src/foundation/errors.js'
import { seededRng } from '../src/foundation/rng.js'
import { systemClock } from '../src/net/clock.js'
import type { Effect, Input, Step } from '../src/net/effects.js'
import { makeContactProof } from '../src/net/links/proof.js'
import { RunningNet, type RunOptions } from '../src/net/runtime/net.js'
import { Wakes } from '../src/net/runtime/wakes.js'
import { eventually, HandView, SITE_SEED, stubVault } from './fixtures/gate-world.js'
import { ManualClock } from './fixtures/manual-clock.js'

const TOKEN = Buffer.alloc(32, 5)
const rng = seededRng('runtime')
const BLOCKED: Fact = { type: 'ContactBlocked', data: { id: 'X' } }

/** A log that is durable when the test says so. */
class HandLog {
  seq = 0
  readonly waiting: { readonly facts: readonly Fact[]; readonly done: (stored: StoredFact[]) => void }[] = []
  readonly held: boolean
  constructor(held = false) {
    this.held = held
  }
  append = (facts: readonly Fact[]): Promise<StoredFact[]> =>
    new Promise((resolve) => {
      this.waiting.push({ facts, done: resolve })
      if (!this.held) this.sync()
    })
  sync(): void {
    for (const { facts, done } of this.waiting.splice(0)) {
      done(facts.map((fact) => ({ ...fact, seq: ++this.seq, at: 0 })))
    }
  }
}

/** A node that does what `on` says, and remembers what it was given. */
function machine(on: (input: Input) => Effect[]) {
  const given: Input[] = []
  let stepping = false
  const step: Step<number, Input, Effect> = (count, input) => {
    if (stepping) throw new Error('a step within a step')
    stepping = true
    try {
      given.push(input)
      return [count + 1, on(input)]
    } finally {
      stepping = false
    }
  }
  return { given, kinds: () => given.map(({ kind }) => kind), machine: { state: 0, step } }
}

function options(more: Partial<RunOptions> = {}): RunOptions {
  const { view } = new HandView()
  const log = new HandLog()
  return {
    view,
    vault: stubVault,
    append: log.append,
    listen: null,
    clock: systemClock,
    rng,
    siteSeed: SITE_SEED,
    ...more,
  }
}

const send = (carrier: number, text: string): Effect => ({ kind: 'send', carrier, bytes: Buffer.from(text) })
const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

t.test('two runtimes exchange messages over loopback', async (t) => {
  const bobView = new HandView()
  bobView.friend('ALICE', { admits: TOKEN })
  const bobNode = machine((input) =>
    input.kind === 'message' ? [send(input.carrier, `bob heard ${Buffer.from(input.bytes).toString()}`)] : [],
  )
  const bob = await new RunningNet(
    options({ view: bobView.view, listen: '127.0.0.1:0' }),
    bobNode.machine,
  ).start()
  const endpoint = bob.listening ?? ''
  t.match(endpoint, /^127\.0\.0\.1:[1-9]\d*$/)
  t.same(bobNode.given, [{ kind: 'start' }, { kind: 'listening', endpoints: [endpoint] }])

  const aliceView = new HandView()
  aliceView.own.push('127.0.0.1:1')
  aliceView.friend('BOB', { endpoints: [endpoint] })
  const { proof } = makeContactProof({ token: TOKEN, path: '/', host: endpoint, now: Date.now(), rng })
  const aliceNode = machine((input) => {
    if (input.kind === 'start') return [{ kind: 'dial', carrier: 1, who: 'BOB', endpoint, path: '/', proof }]
    if (input.kind === 'dialled') return [send(1, 'hello')]
    return input.kind === 'stop' ? [send(1, 'bye'), { kind: 'close', carrier: 1 }] : []
  })
  const alice = await new RunningNet(options({ view: aliceView.view }), aliceNode.machine).start()
  t.equal(alice.listening, null)
  const heard = await eventually(() => aliceNode.given.find(({ kind }) => kind === 'message'), 'the answer')
  t.match(heard, { kind: 'message', carrier: 1, bytes: Buffer.from('bob heard hello') })
  t.match(alice.traffic(), [{ who: 'BOB', bytesOut: 5, carriers: 1 }])

  await Promise.all([alice.stop(), alice.stop()])
  await eventually(() => bobNode.given.find(({ kind }) => kind === 'closed'), 'goodbye')
  t.same(
    bobNode.kinds(),
    ['start', 'listening', 'accepted', 'message', 'message', 'closed'],
    'the last words came',
  )
  await bob.stop()
  t.equal(bobNode.kinds().at(-1), 'stop')
  await t.rejects(bob.command({ kind: 'announce' }), { code: 'cancelled' })
})

t.test(
  'nothing goes out before what was to be appended is durable; appends in a row go together',
  async (t) => {
    const log = new HandLog(true)
    const node = machine((input) => {
      if (input.kind !== 'command') return []
      const { ticket } = input
      const append: Effect = { kind: 'append', facts: [BLOCKED] }
      return [append, { ...append, ticket: 7 }, { kind: 'answer', ticket, result: { kind: 'done' } }]
    })
    const net = await new RunningNet(options({ append: log.append }), node.machine).start()
    let answered = false
    const asked = net.command({ kind: 'announce' }).then(() => (answered = true))
    await settle()
    t.equal(log.waiting.length, 2, 'both are on their way to the disk')
    t.notOk(answered, 'the answer waits for it')
    log.sync()
    await asked
    t.same(node.kinds(), ['start', 'command', 'fact', 'fact', 'appended'])
    t.match(node.given.at(-1), { kind: 'appended', ticket: 7 })
    await net.stop()
  },
)

t.test('each fact is told once, whoever tells it', async (t) => {
  const seen: number[] = []
  const node = machine((input) => {
    if (input.kind === 'fact') seen.push(input.fact.seq)
    return input.kind === 'command' ? [{ kind: 'append', facts: [BLOCKED] }] : []
  })
  const log = new HandLog()
  let tell: (fact: StoredFact) => void = () => undefined
  const append = async (facts: readonly Fact[]) => {
    const stored = await log.append(facts)
    for (const fact of stored) tell(fact) // as a profile does, for every appended fact
    return stored
  }
  const net = await new RunningNet(options({ append }), node.machine).start()
  tell = (fact) => {
    net.fact(fact)
  }
  void net.command({ kind: 'announce' }).catch(() => undefined)
  await settle()
  net.fact({ ...BLOCKED, seq: 2, at: 0 })
  t.same(seen, [1, 2])
  for (const seq of [4, 3, 4, 1]) net.fact({ ...BLOCKED, seq, at: 0 })
  t.same(seen, [1, 2, 4, 3], 'late is not lost')
  await net.stop()
})

t.test('a log that fails ends the net, and says so', async (t) => {
  const faults: unknown[] = []
  const failed = new SottoError('log-failed')
  const node = machine((input) =>
    input.kind === 'start'
      ? [
          { kind: 'append', facts: [BLOCKED] },
          { kind: 'wake', at: 0 },
        ]
      : [],
  )
  const append = () => Promise.reject(failed)
  const net = await new RunningNet(
    options({ append, onFault: (error) => faults.push(error) }),
    node.machine,
  ).start()
  const asked = t.rejects(net.command({ kind: 'announce' }), { code: 'cancelled' })
  await asked
  await net.stop()
  t.same(faults, [failed])
  t.notOk(node.kinds().includes('wake'), 'what stood behind the append is not done')
})

t.test('an effect that fails behind an append is told, and the next ones are carried out', async (t) => {
  const failed = new SottoError('projections-damaged')
  const allowed = () => {
    throw failed
  }
  const faults: unknown[] = []
  const node = machine((input) =>
    input.kind === 'command'
      ? [
          { kind: 'append', facts: [BLOCKED] },
          { kind: 'datagram', tracker: 'sotto-tracker://t', bytes: Buffer.of(1) },
          { kind: 'answer', ticket: input.ticket, result: { kind: 'done' } },
        ]
      : [],
  )
  const view = { ...new HandView().view, allowed }
  const net = await new RunningNet(
    options({ view, append: () => Promise.resolve([]), onFault: (error) => faults.push(error) }),
    node.machine,
  ).start()
  t.same(await net.command({ kind: 'announce' }, 2_000), { kind: 'done' })
  t.same(faults, [failed])
  await net.stop()
})

t.test('commands: answered, refused, or out of time', async (t) => {
  const clock = new ManualClock()
  const node = machine((input) => {
    if (input.kind !== 'command') return []
    const { command, ticket } = input
    if (command.kind === 'announce') return [{ kind: 'answer', ticket, result: { kind: 'done' } }]
    return command.kind === 'check' ? [{ kind: 'refuse', ticket, code: 'not-a-friend', detail: 'x' }] : []
  })
  const net = await new RunningNet(options({ clock }), node.machine).start()
  t.same(await net.command({ kind: 'announce' }), { kind: 'done' })
  await t.rejects(net.command({ kind: 'check', who: 'X' }), { code: 'not-a-friend', message: /: x$/ })
  const late = t.rejects(net.command({ kind: 'tracker-check' }, 500), { code: 'tracker-unreachable' })
  const later = t.rejects(net.command({ kind: 'lookup', id: 'X' }, 700), { code: 'unreachable' })
  clock.advance(500)
  await late
  clock.advance(200)
  await later
  const stopped = t.rejects(net.command({ kind: 'lookup', id: 'X' }), { code: 'cancelled' })
  await net.stop()
  await stopped
})

t.test('a person without a row may be dialled while being looked up, and no longer', async (t) => {
  const hand = new HandView()
  hand.own.push('127.0.0.1:1')
  const endpoint = '127.0.0.1:9'
  const node = machine((input) => {
    if (input.kind !== 'command') return []
    const dial: Effect = {
      kind: 'dial',
      carrier: input.ticket,
      who: 'STRANGER',
      endpoint,
      path: '/',
      proof: rng.bytes(72),
    }
    return [
      dial,
      ...(input.command.kind === 'announce'
        ? [{ kind: 'refuse' as const, ticket: input.ticket, code: 'internal' as const }]
        : []),
    ]
  })
  const facts: Fact[] = []
  const log = new HandLog()
  const append = (some: readonly Fact[]) => {
    facts.push(...some)
    return log.append(some)
  }
  const net = await new RunningNet(options({ view: hand.view, append }), node.machine).start()
  const failure = (carrier: number) =>
    eventually(
      () => node.given.find((each) => each.kind === 'dial-failed' && each.carrier === carrier),
      'failure',
    )
  const lookup = t.rejects(net.command({ kind: 'lookup', id: 'STRANGER' }, 300), { code: 'unreachable' })
  t.match(await failure(1), { reason: 'unreachable' }, 'the gate let it try')
  await lookup
  await t.rejects(net.command({ kind: 'announce' }), { code: 'internal' })
  t.match(await failure(2), { reason: 'gate-denied' })
  t.match(
    facts,
    [{ type: 'GateRefused', data: { what: 'dial', id: 'STRANGER' } }],
    'FW-2 the refusal is a fact',
  )
  await net.stop()
})

t.test('a step that throws costs the peer its connection, and nobody else anything', async (t) => {
  const hand = new HandView()
  hand.friend('ALICE', { admits: TOKEN })
  const faults: unknown[] = []
  const bobNode = machine((input) => {
    if (input.kind === 'message') throw new Error('a mistake of ours')
    return input.kind === 'command'
      ? [{ kind: 'answer', ticket: input.ticket, result: { kind: 'done' } }]
      : []
  })
  const onFault = (error: unknown) => faults.push(error)
  const bob = await new RunningNet(
    options({ view: hand.view, listen: '127.0.0.1:0', onFault }),
    bobNode.machine,
  ).start()
  const endpoint = bob.listening ?? ''
  const aliceView = new HandView()
  aliceView.friend('BOB', { endpoints: [endpoint], byHand: [endpoint] })
  const { proof } = makeContactProof({ token: TOKEN, path: '/', host: endpoint, now: Date.now(), rng })
  const aliceNode = machine((input) => {
    if (input.kind === 'start') return [{ kind: 'dial', carrier: 1, who: 'BOB', endpoint, path: '/', proof }]
    return input.kind === 'dialled' ? [send(1, 'poison')] : []
  })
  const alice = await new RunningNet(options({ view: aliceView.view }), aliceNode.machine).start()
  await eventually(() => bobNode.given.find(({ kind }) => kind === 'closed'), 'closed')
  t.equal(faults.length, 1)
  t.same(await bob.command({ kind: 'announce' }), { kind: 'done' })
  await Promise.all([alice.stop(), bob.stop()])
})

t.test('where it cannot listen it does not start', async (t) => {
  const node = machine(() => [])
  await t.rejects(new RunningNet(options({ listen: '127.0.0.1' }), node.machine).start(), {
    code: 'bad-endpoint',
  })
  t.same(node.given, [])
})

t.test('a stop lets the node finish: what it appends last, and what it says after that', async (t) => {
  const log = new HandLog(true)
  const done: string[] = []
  const node = machine((input) => {
    if (input.kind === 'stop') return [{ kind: 'append', facts: [BLOCKED], ticket: 1 }]
    if (input.kind === 'appended') done.push('appended')
    return []
  })
  const net = await new RunningNet(options({ append: log.append }), node.machine).start()
  const stopped = net.stop().then(() => done.push('stopped'))
  await settle()
  t.same(done, [])
  log.sync()
  await stopped
  t.same(done, ['appended', 'stopped'])
  net.fact({ ...BLOCKED, seq: 99, at: 0 })
  t.same(node.kinds(), ['start', 'stop', 'fact', 'appended'], 'nothing reaches a stopped node')
})

t.test('a disk that never answers does not keep a node from stopping', async (t) => {
  const clock = new ManualClock()
  const node = machine((input) => (input.kind === 'stop' ? [{ kind: 'append', facts: [BLOCKED] }] : []))
  const net = await new RunningNet(options({ clock, append: new HandLog(true).append }), node.machine).start()
  const stopped = net.stop()
  clock.advance(5_000)
  await stopped
  t.pass('stopped')
})

t.test('one input follows another without deepening the stack', async (t) => {
  const rounds = 30_000
  let carrier = 0
  const dial = (): Effect[] =>
    carrier++ < rounds
      ? [{ kind: 'dial', carrier, who: 'NOBODY', endpoint: '1.1.1.1:80', path: '/', proof: rng.bytes(1) }]
      : []
  const faults: unknown[] = []
  const node = machine((input) => (input.kind === 'start' || input.kind === 'dial-failed' ? dial() : []))
  const net = await new RunningNet(options({ onFault: (error) => faults.push(error) }), node.machine).start()
  await eventually(() => (carrier > rounds ? true : undefined), 'the last')
  t.same(faults, [])
  await net.stop()
})

t.test('wakes: the earliest counts, a later one cancels nothing', (t) => {
  const clock = new ManualClock(0)
  const woken: number[] = []
  const wakes = new Wakes(clock, () => woken.push(clock.now()))
  for (const at of [500, 100, 300, 100, 50_000]) wakes.ask(at)
  clock.advance(99)
  t.same(woken, [])
  clock.advance(1_000)
  t.same(woken, [100, 300, 500])
  wakes.ask(200)
  clock.advance(0)
  t.same(woken, [100, 300, 500, 1_099], 'the past is now')
  wakes.stop()
  clock.advance(100_000)
  t.equal(woken.length, 4)
  t.end()
})
