import { createSocket } from 'node:dgram'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import { SottoError } from '../src/foundation/errors.js'
import { seededRng } from '../src/foundation/rng.js'
import { HEARTBEAT_MS, FIRST_MESSAGE_MS, MAX_BUFFERED_BYTES } from '../src/net/gate/carriage.js'
import type { Vault } from '../src/net/gate/vault.js'
import { cookieOfProof, makeContactProof } from '../src/net/links/proof.js'
import { MAX_MESSAGE_BYTES } from '../src/net/site/carriage-options.js'
import { eventually, HandView, openWorld, type World } from './fixtures/gate-world.js'
import { ManualClock } from './fixtures/manual-clock.js'
import { probe } from './fixtures/prober.js'

const TOKEN = Buffer.alloc(32, 5)
const rng = seededRng('carriage')
const LOOPBACK = '127.0.0.1:0'

/** Bob listens; Alice may get in, and knows where he is. */
async function aliceAndBob(options: { clock?: ManualClock } = {}) {
  const bobView = new HandView()
  const aliceView = new HandView()
  bobView.friend('ALICE', { admits: TOKEN })
  const bob = openWorld(bobView, options)
  const alice = openWorld(aliceView, options)
  const endpoint = await bob.gate.listen(LOOPBACK)
  aliceView.own.push('127.0.0.1:1') // she stands on loopback herself
  aliceView.friend('BOB', { endpoints: [endpoint] })
  const now = options.clock?.now() ?? Date.now()
  const proof = () => makeContactProof({ token: TOKEN, path: '/', host: endpoint, now, rng }).proof
  const dial = (carrier = 1) => {
    alice.gate.perform({ kind: 'dial', carrier, who: 'BOB', endpoint, path: '/', proof: proof() })
  }
  const close = () => Promise.all([alice.gate.close(), bob.gate.close()])
  return { alice, bob, aliceView, bobView, endpoint, proof, dial, close }
}

const portOf = (endpoint: string) => Number(endpoint.split(':').at(-1))

/** A caller that is not our client. */
function rawCaller(endpoint: string, proof: Uint8Array): WebSocket {
  const headers = { Cookie: `sid=${cookieOfProof(proof)}` }
  const socket = new WebSocket(`ws://${endpoint}/`, { headers, perMessageDeflate: false })
  return socket.on('error', () => undefined)
}

t.test('a friend is let in, and bytes go both ways', async (t) => {
  const { alice, bob, dial, close } = await aliceAndBob()
  dial()
  const { carrier, proven } = await bob.input('accepted')
  t.match(proven, { kind: 'contact', who: 'ALICE' })
  t.ok(carrier < 0, 'accepted carriers are numbered below zero')
  await alice.input('dialled')
  const big = rng.bytes(MAX_MESSAGE_BYTES)
  alice.gate.perform({ kind: 'send', carrier: 1, bytes: big })
  t.same((await bob.input('message')).bytes, big)
  bob.gate.perform({ kind: 'send', carrier, bytes: Buffer.from('pong') })
  t.same((await alice.input('message')).bytes, Buffer.from('pong'))
  t.same(alice.gate.traffic(), [{ who: 'BOB', bytesIn: 4, bytesOut: big.length, carriers: 1 }])
  alice.gate.perform({ kind: 'send', carrier: 1, bytes: Buffer.from('last words') })
  alice.gate.perform({ kind: 'close', carrier: 1 })
  t.same((await bob.input('message')).bytes, Buffer.from('last words'), 'a goodbye does not overtake')
  await Promise.all([alice.input('closed'), bob.input('closed')])
  t.same(bob.gate.traffic()[0]?.carriers, 0)
  await close()
  await close()
})

t.test('FW-1 a dial outside the policy opens no socket, and is told', async (t) => {
  const { alice, aliceView, bob, endpoint, proof, close } = await aliceAndBob()
  const dial = (who: string, at: string) => {
    alice.gate.perform({ kind: 'dial', carrier: 7, who, endpoint: at, path: '/', proof: proof() })
  }
  let connections = 0
  const trap = createServer(() => connections++)
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  const trapped = `127.0.0.1:${(trap.address() as AddressInfo).port}`
  dial('MALLORY', endpoint)
  t.same(await alice.input('dial-failed'), { kind: 'dial-failed', carrier: 7, reason: 'gate-denied' })
  t.match(await alice.refusal('dial'), { id: 'MALLORY', detail: 'not on the allow-list' })
  dial('BOB', trapped)
  t.match(await alice.input('dial-failed'), { reason: 'gate-denied' })
  aliceView.own.length = 0
  dial('BOB', endpoint)
  t.match(await alice.input('dial-failed'), { reason: 'gate-denied' })
  t.match(alice.refusals, [{}, { detail: 'the address is not on record' }, { detail: 'loopback address' }])
  aliceView.own.push('127.0.0.1:1')
  const done = alice.gate.permitLookup('MALLORY')
  dial('MALLORY', trapped)
  await eventually(() => (connections > 0 ? true : undefined), 'a stranger being looked up is dialled')
  alice.gate.perform({ kind: 'close', carrier: 7 })
  done()
  dial('MALLORY', trapped)
  t.match(await alice.input('dial-failed'), { reason: 'gate-denied' })
  t.equal(connections, 1)
  t.same(bob.inputs, [])
  trap.close()
  await close()
})

t.test('a dial that is not admitted, or meets nobody, says so', async (t) => {
  const { alice, aliceView, endpoint, close } = await aliceAndBob()
  alice.gate.perform({ kind: 'dial', carrier: 1, who: 'BOB', endpoint, path: '/', proof: rng.bytes(72) })
  t.match(await alice.input('dial-failed'), { reason: 'not-admitted' })
  const nobody = createServer()
  await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve))
  const gone = `127.0.0.1:${(nobody.address() as AddressInfo).port}`
  await new Promise((resolve) => nobody.close(resolve))
  aliceView.friend('CAROL', { endpoints: [gone] })
  alice.gate.perform({
    kind: 'dial',
    carrier: 2,
    who: 'CAROL',
    endpoint: gone,
    path: '/',
    proof: rng.bytes(72),
  })
  t.match(await alice.input('dial-failed'), { carrier: 2, reason: 'unreachable' })
  await close()
})

t.test('a proof that does not hold shows the site and is told, once', async (t) => {
  const { bob, endpoint, proof, close } = await aliceAndBob()
  const first = proof()
  rawCaller(endpoint, first)
  await bob.input('accepted')
  const rejected = (sid: Uint8Array) =>
    new Promise<number | undefined>((resolve) => {
      rawCaller(endpoint, sid).on('unexpected-response', (request, response) => {
        resolve(response.statusCode)
        request.destroy()
      })
    })
  t.equal(await rejected(first), 200, 'a replay')
  t.equal(await rejected(rng.bytes(72)), 200, 'a guess')
  const early = makeContactProof({
    token: TOKEN,
    path: '/',
    host: endpoint,
    now: Date.now() - 50_000,
    rng,
  }).proof
  t.equal(await rejected(early), 200, 'dated before this process began')
  t.match(await bob.refusal('proof'), { what: 'proof' })
  t.equal(bob.refusals.length, 1)
  t.match(await probe(portOf(endpoint), ['GET / HTTP/1.1\r\nHost: a\r\n\r\n']), /^HTTP\/1\.1 200 /)
  await close()
})

t.test('FW-3 oversize, text and malformed frames end the connection and are told', async (t) => {
  for (const hurt of [
    (socket: WebSocket) => socket.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1)),
    (socket: WebSocket) => socket.send('text'),
    (socket: WebSocket) =>
      (socket as unknown as { _socket: Socket })._socket.write(Buffer.from('f7ff00ff', 'hex')),
  ]) {
    const { bob, endpoint, proof, close } = await aliceAndBob()
    const caller = rawCaller(endpoint, proof())
    await new Promise((resolve) => caller.once('open', resolve))
    await bob.input('accepted')
    hurt(caller)
    await bob.input('closed')
    t.match(await bob.refusal('frame'), { id: 'ALICE' })
    t.equal(bob.inputs.filter(({ kind }) => kind === 'message').length, 0)
    await close()
  }
})

t.test('a peer that does not read is cut off before a mebibyte waits for it', async (t) => {
  const { bob, endpoint, proof, close } = await aliceAndBob()
  const caller = rawCaller(endpoint, proof())
  await new Promise((resolve) => caller.once('open', resolve))
  const { carrier } = await bob.input('accepted')
  ;(caller as unknown as { _socket: Socket })._socket.pause()
  const frame = Buffer.alloc(64 * 1024)
  // What the kernel takes off our hands (a few MiB) does not count; far beyond that, it must be over.
  for (let sent = 0; sent < 64 * MAX_BUFFERED_BYTES && bob.inputs.length === 0; sent += frame.length) {
    bob.gate.perform({ kind: 'send', carrier, bytes: frame })
    if (sent % (16 * frame.length) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await bob.input('closed')
  t.match(await bob.refusal('frame'), { detail: 'does not read', id: 'ALICE' })
  caller.terminate()
  await close()
})

t.test('dead peers and silent callers are noticed', async (t) => {
  const clock = new ManualClock()
  const { alice, bob, endpoint, proof, dial, close } = await aliceAndBob({ clock })
  const silent = rawCaller(endpoint, proof())
  await bob.input('accepted')
  clock.advance(FIRST_MESSAGE_MS)
  await bob.input('closed')
  t.match(await bob.refusal('frame'), { detail: 'no message came' })
  silent.terminate()

  clock.advance(-FIRST_MESSAGE_MS)
  dial()
  const { carrier } = await bob.input('accepted')
  await alice.input('dialled')
  bob.gate.perform({ kind: 'send', carrier, bytes: Buffer.from('hi') })
  alice.gate.perform({ kind: 'send', carrier: 1, bytes: Buffer.from('hi') })
  await Promise.all([alice.input('message'), bob.input('message')])
  // Both live: each heartbeat is answered.
  for (let beat = 0; beat < 4; beat++) {
    clock.advance(HEARTBEAT_MS)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  t.same([...alice.inputs, ...bob.inputs], [])
  // No time for an answer: as if the other side had vanished.
  clock.advance(4 * HEARTBEAT_MS)
  await Promise.all([alice.input('closed'), bob.input('closed')])
  await close()
})

t.test('a link ends with the friendship: no row, no bytes', async (t) => {
  const { alice, bob, bobView, dial, close } = await aliceAndBob()
  dial()
  const { carrier } = await bob.input('accepted')
  await alice.input('dialled')
  bobView.block('ALICE')
  bob.gate.perform({ kind: 'send', carrier, bytes: Buffer.from('x') })
  await Promise.all([bob.input('closed'), alice.input('closed')])
  t.match(await bob.refusal('frame'), { detail: 'no longer a contact' })
  t.same(alice.inputs, [])
  dial(2)
  t.match(await alice.input('dial-failed'), { reason: 'not-admitted' })
  await close()
})

t.test('one friend holds four connections at most', async (t) => {
  const { bob, endpoint, proof, close } = await aliceAndBob()
  const callers = Array.from({ length: 6 }, () => rawCaller(endpoint, proof()))
  await Promise.all(callers.map((caller) => new Promise((resolve) => caller.once('open', resolve))))
  await eventually(
    () =>
      callers.filter(({ readyState }) => readyState === WebSocket.CLOSED).length === 2 ? true : undefined,
    'two cut',
  )
  t.equal(bob.inputs.filter(({ kind }) => kind === 'accepted').length, 4)
  await close()
})

t.test('a connection too many that brings nonsense along ends nothing but itself', async (t) => {
  const { bob, endpoint, proof, close } = await aliceAndBob()
  const knock = (behind: Uint8Array) => {
    const head = [
      `GET / HTTP/1.1\r\nHost: ${endpoint}\r\nConnection: Upgrade\r\nUpgrade: websocket`,
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Cookie: sid=${cookieOfProof(proof())}\r\n\r\n`,
    ]
    const socket = connect(portOf(endpoint), '127.0.0.1').on('error', () => undefined)
    socket.resume().write(Buffer.concat([Buffer.from(head.join('\r\n')), behind]))
    return socket
  }
  const four = Array.from({ length: 4 }, () => knock(Buffer.alloc(0)))
  await eventually(() => (bob.inputs.length === 4 ? true : undefined), 'four are in')
  const fifth = knock(Buffer.alloc(4, 0xff))
  await new Promise((resolve) => fifth.once('close', resolve))
  t.equal(bob.gate.traffic()[0]?.carriers, 4)
  for (const socket of four) socket.destroy()
  await close()
})

t.test('records that cannot be read let nothing out, and end nothing', async (t) => {
  const hand = new HandView()
  let damaged = true
  const faults: unknown[] = []
  const allowed = () => {
    if (damaged) throw new SottoError('projections-damaged')
    return hand.rows
  }
  const world = openWorld(hand, {
    view: { ...hand.view, allowed },
    onFault: (error) => faults.push(error),
    resolve: () => {
      damaged = true
      return Promise.resolve(['93.184.216.34'])
    },
  })
  hand.friend('EVE', { endpoints: ['eve.example:80'] })
  const dial = (carrier: number) => {
    const to = { who: 'EVE', endpoint: 'eve.example:80', path: '/', proof: rng.bytes(72) }
    world.gate.perform({ kind: 'dial', carrier, ...to })
    return world.input('dial-failed')
  }
  t.match(await dial(1), { carrier: 1, reason: 'gate-denied' })
  damaged = false
  t.match(await dial(2), { carrier: 2, reason: 'gate-denied' }, 'the name is not judged again')
  t.match(faults.splice(0), [{ code: 'projections-damaged' }, { code: 'projections-damaged' }])

  damaged = false
  const tracker = await udpSocket()
  hand.tracker('sotto-tracker://t', `127.0.0.1:${tracker.address().port}`)
  const port = new Promise<number>((resolve) => {
    tracker.once('message', (_bytes, from) => {
      resolve(from.port)
    })
  })
  world.gate.perform({ kind: 'datagram', tracker: 'sotto-tracker://t', bytes: Buffer.from('ask') })
  const to = await port
  damaged = true
  tracker.send('answer', to, '127.0.0.1')
  await eventually(() => faults[0], 'the fault')
  t.same(world.inputs, [])
  await world.gate.close()
  tracker.close()
})

t.test('held peers are not read from, and lose nothing', async (t) => {
  const { alice, bob, dial, close } = await aliceAndBob()
  dial()
  await Promise.all([bob.input('accepted'), alice.input('dialled')])
  bob.gate.hold(true)
  for (let i = 0; i < 5; i++) alice.gate.perform({ kind: 'send', carrier: 1, bytes: Buffer.of(i) })
  await new Promise((resolve) => setTimeout(resolve, 60))
  t.same(bob.inputs, [])
  bob.gate.hold(false)
  for (let i = 0; i < 5; i++) t.same((await bob.input('message')).bytes, Buffer.of(i))
  await close()
})

t.test('datagrams: to a listed tracker and from it; anybody else is not heard', async (t) => {
  const hand = new HandView()
  const world = openWorld(hand)
  const tracker = await udpSocket()
  const mallory = await udpSocket()
  const url = 'sotto-tracker://t'
  hand.tracker(url, `127.0.0.1:${tracker.address().port}`)
  const heard = new Promise<number>((resolve) => {
    tracker.once('message', (bytes, from) => {
      t.same(bytes, Buffer.from('ask'))
      resolve(from.port)
    })
  })
  world.gate.perform({ kind: 'datagram', tracker: url, bytes: Buffer.from('ask') })
  const port = await heard
  await new Promise((resolve) => mallory.send('lie', port, '127.0.0.1', resolve))
  await new Promise((resolve) => tracker.send(Buffer.alloc(1233), port, '127.0.0.1', resolve))
  await new Promise((resolve) => tracker.send('answer', port, '127.0.0.1', resolve))
  t.same(await world.input('datagram'), { kind: 'datagram', tracker: url, bytes: Buffer.from('answer') })
  t.same(world.inputs, [], 'neither the lie nor what is too long')

  world.gate.perform({ kind: 'datagram', tracker: 'sotto-tracker://u', bytes: Buffer.from('ask') })
  t.match(await world.refusal('dial'), { detail: 'tracker: not on the allow-list' })
  hand.rows.length = 0
  await new Promise((resolve) => tracker.send('late', port, '127.0.0.1', resolve))
  await new Promise((resolve) => setTimeout(resolve, 40))
  t.same(world.inputs, [], 'a tracker that was removed is not heard any more')
  await world.gate.close()
  tracker.close()
  mallory.close()
})

t.test('FW-1 no name is asked for outside the policy, and none leads inside', async (t) => {
  const asked: string[] = []
  const hand = new HandView()
  const names: Record<string, string[]> = {
    'evil.example': ['127.0.0.1', '169.254.169.254'],
    'none.example': [],
  }
  const world = openWorld(hand, {
    resolve: (name) => {
      asked.push(name)
      return Promise.resolve(names[name] ?? [])
    },
  })
  const dial = (who: string, endpoint: string) => {
    world.gate.perform({ kind: 'dial', carrier: 1, who, endpoint, path: '/', proof: rng.bytes(72) })
    return world.input('dial-failed')
  }
  hand.friend('EVE', { endpoints: ['evil.example:80', 'none.example:80'] })
  t.match(await dial('EVE', 'other.example:80'), { reason: 'gate-denied' })
  t.match(await dial('MALLORY', 'evil.example:80'), { reason: 'gate-denied' })
  t.same(asked, [], 'nothing was asked')
  t.match(await dial('EVE', 'evil.example:80'), { reason: 'gate-denied' })
  t.match(await world.refusal('name'), { id: 'EVE' })
  t.match(await dial('EVE', 'none.example:80'), { reason: 'no-such-name' })
  t.same(asked, ['evil.example', 'none.example'])
  await world.gate.close()
})

t.test('a name given by hand leads where it leads, and the caller asks for it by name', async (t) => {
  const { bob, aliceView, alice, endpoint, close } = await aliceAndBob()
  const port = portOf(endpoint)
  const world: World = openWorld(aliceView, { resolve: () => Promise.resolve(['127.0.0.1']) })
  const named = `bob.example:${port}`
  aliceView.friend('NAMED', { endpoints: [named], byHand: [named] })
  const { proof } = makeContactProof({ token: TOKEN, path: '/', host: named, now: Date.now(), rng })
  world.gate.perform({ kind: 'dial', carrier: 1, who: 'NAMED', endpoint: named, path: '/', proof })
  await Promise.all([world.input('dialled'), bob.input('accepted')])
  t.same(alice.inputs, [])
  await Promise.all([world.gate.close(), close()])
})

t.test('the process’s own connections, as the system lists them, are held against the policy', async (t) => {
  const { bob, dial, endpoint, alice, close } = await aliceAndBob()
  dial()
  await Promise.all([bob.input('accepted'), alice.input('dialled')])
  const rogue = connect(portOf(endpoint), '127.0.0.1')
  await new Promise((resolve) => rogue.once('connect', resolve))
  const report = await bob.gate.connections()
  const hers = await alice.gate.connections()
  if (report.available && hers.available) {
    const local = `127.0.0.1:${rogue.localPort ?? 0}`
    t.match(
      report.connections.find((each) => each.local === local),
      { remote: endpoint, listed: false },
    )
    const own = report.connections.filter((each) => each.local === endpoint)
    t.same(own.filter(({ remote, listed }) => remote === null && listed).length, 1, 'the listener')
    t.ok(
      own.every(({ listed }) => listed),
      'visitors and callers',
    )
    t.ok(
      hers.connections.some(({ remote, listed }) => remote === endpoint && listed),
      'the dial',
    )
  } else t.not(process.platform, 'linux', 'only where the system does not say')
  rogue.destroy()
  await close()
})

t.test(
  'private operations: answered by their job; a vault that is closed answers as one that does not open',
  async (t) => {
    const opened = openWorld(new HandView())
    const effect = { kind: 'open-oaep', job: 3, ciphertext: Buffer.of(1, 2), label: Buffer.of(0) } as const
    opened.gate.perform(effect)
    t.same(await opened.input('oaep-opened'), { kind: 'oaep-opened', job: 3, secret: Buffer.of(1, 2) })
    const vault = {
      openOaep: () => {
        throw new SottoError('gate-denied')
      },
    } as unknown as Vault
    const closed = openWorld(new HandView(), { vault })
    closed.gate.perform(effect)
    t.same(await closed.input('oaep-opened'), { kind: 'oaep-opened', job: 3, secret: null })
    await Promise.all([opened.gate.close(), closed.gate.close()])
  },
)

t.test('where it cannot listen it says so', async (t) => {
  const { endpoint, close } = await aliceAndBob()
  const other = openWorld(new HandView())
  await t.rejects(other.gate.listen(endpoint), { code: 'cannot-listen' })
  await t.rejects(other.gate.listen('name.example:80'), { code: 'bad-endpoint' })
  await t.rejects(other.gate.listen('127.0.0.1'), { code: 'bad-endpoint' })
  await other.gate.close()
  await close()
  await t.rejects(other.gate.listen(LOOPBACK), { code: 'cancelled' })
})

async function udpSocket() {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return socket
}
