import fc from 'fast-check'
import t from 'tap'
import type { Fact } from '../src/events/vocabulary/facts.js'
import {
  hostHeaderOf,
  joinEndpoint,
  plainIp,
  proofHostOf,
  scopeOf,
  splitEndpoint,
} from '../src/net/gate/address.js'
import { isExpected, type Expected } from '../src/net/gate/connections.js'
import { Names } from '../src/net/gate/names.js'
import { parsePlace } from '../src/net/gate/own-sockets.js'
import { mayDial, maySend, refusalOf, type Policy } from '../src/net/gate/policy.js'
import { Refusals } from '../src/net/gate/refusals.js'
import { PEOPLE } from './fixtures/histories.js'
import { ManualClock } from './fixtures/manual-clock.js'
import { given } from './fixtures/projected.js'

const PUBLIC = '93.184.216.34:80'
const base: Policy = { mode: 'normal', rows: [], own: [], strangers: new Set() }
const withAlice = (endpoints: string[], more: Partial<Policy> = {}, byHand: string[] = []): Policy => ({
  ...base,
  rows: [{ kind: 'contact', who: 'ALICE', endpoints, byHand }],
  ...more,
})
const dialled = (policy: Policy, endpoint: string, who = 'ALICE') => mayDial(policy, who, endpoint).ok

t.test('where addresses lead', (t) => {
  const table = {
    public: ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8', '172.32.0.1'],
    private: [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '100.64.0.1',
      'fd12::1',
      '::ffff:10.0.0.1',
    ],
    loopback: [
      '127.0.0.1',
      '127.8.8.8',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '0:0:0:0:0:ffff:7f00:0001',
    ],
    reserved: [
      '169.254.169.254',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      'fe80::1',
      'ff02::1',
      'fd00:ec2::254',
    ],
    // forms that carry an IPv4 address, text that is no address, and what a lax resolver would take for loopback
    'reserved ': [
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      '::127.0.0.1',
      '100.100.100.200',
      'localhost',
      '127.1',
      '',
      'fe80::1%eth0',
    ],
  }
  for (const [scope, ips] of Object.entries(table))
    for (const ip of ips) t.equal(scopeOf(ip), scope.trim(), ip)
  t.end()
})

t.test('endpoints are read strictly, and written as they are read', (t) => {
  t.same(splitEndpoint('[2001:DB8::1]:443'), { host: '2001:DB8::1', port: 443 })
  t.same(splitEndpoint('Example.ORG:80'), { host: 'example.org', port: 80 })
  for (const bad of [
    '',
    'a',
    'a:',
    ':1',
    'a:65536',
    'a:-1',
    '1.2.3:80',
    '0x7f.1:80',
    '127.1:80',
    '::1:80',
    '[a]:1',
    '[::1%lo]:1',
    'a b:1',
    'a/b:1',
    'u@h:1',
    'a..b:1',
    '-a:1',
    `${'a'.repeat(300)}:1`,
  ]) {
    t.equal(splitEndpoint(bad), null, bad)
  }
  t.equal(hostHeaderOf('a.example:80'), 'a.example')
  t.equal(hostHeaderOf('a.example:8080'), 'a.example:8080')
  for (const each of ['a.example:80', 'a.example:8080', '[::1]:80', '[::1]:9'])
    t.equal(proofHostOf(hostHeaderOf(each)), each)
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65535 }), (ip, port) => {
      const host = plainIp(ip) ?? ''
      t.same(splitEndpoint(joinEndpoint({ host, port })), { host, port })
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('a person is dialled only where their own row says', (t) => {
  t.ok(dialled(withAlice([PUBLIC]), PUBLIC))
  t.notOk(dialled(withAlice([PUBLIC]), '93.184.216.34:81'), 'another port')
  t.notOk(dialled(withAlice([PUBLIC]), PUBLIC, 'MALLORY'), 'another person')
  t.notOk(dialled(base, PUBLIC), 'nobody')
  t.notOk(
    dialled({ ...base, rows: [{ kind: 'tracker', who: 'ALICE', endpoints: [PUBLIC] }] }, PUBLIC),
    'a tracker',
  )
  t.ok(dialled({ ...base, strangers: new Set(['ALICE']) }, PUBLIC), 'someone being looked up')
  t.notOk(dialled({ ...base, strangers: new Set(['ALICE']) }, '127.0.0.1:80'), 'but not on our own machine')
  t.notOk(dialled(withAlice([PUBLIC], { mode: 'tor' }), PUBLIC), 'tor mode lets nothing out in the clear')
  t.end()
})

t.test('inner addresses: only from where we stand ourselves, in lan mode, or as given by hand', (t) => {
  const [loopback, lan, metadata] = ['127.0.0.1:8080', '192.168.1.9:80', '169.254.169.254:80']
  const all = [loopback, lan, metadata]
  const allowed = (more: Partial<Policy>, byHand: string[] = []) =>
    all.filter((each) => dialled(withAlice(all, more, byHand), each))
  t.same(allowed({}), [])
  t.same(allowed({ own: ['127.0.0.1:9'] }), [loopback])
  t.same(allowed({ own: ['10.0.0.1:9'] }), [], 'a private network that is not this one')
  t.same(allowed({ own: ['192.168.1.1:9'] }), [lan])
  t.same(allowed({ own: ['0.0.0.0:9', '93.184.216.34:9'] }), [])
  t.same(allowed({ mode: 'lan' }), [lan])
  t.same(allowed({}, all), all)
  t.end()
})

t.test('FW-1 what is told leads to neighbours, not through the house', (t) => {
  const reached = (own: string, there: string[], more: Partial<Policy> = {}) => {
    const known = withAlice(there, { own: [own], ...more })
    const looked = { ...base, own: [own], strangers: new Set(['ALICE']), ...more }
    return [known, looked].map((policy) => there.filter((each) => dialled(policy, each)))
  }
  const both = (...there: string[]) => [there, there]
  const home = ['192.168.1.1:80', '192.168.2.1:80', '10.0.0.1:22', '100.64.3.2:80', '127.0.0.1:6379']
  t.same(reached('192.168.1.5:8080', home), both('192.168.1.1:80'))
  t.same(reached('100.64.3.9:8080', home), both('100.64.3.2:80'))
  t.same(reached('127.0.0.1:8080', home), both('127.0.0.1:6379'), 'on loopback, loopback')
  t.same(reached('[::1]:8080', home), both('127.0.0.1:6379'))
  t.same(reached('192.168.1.5:8080', home, { mode: 'lan' }), [home.slice(0, 4), home.slice(0, 1)])
  t.same(reached('[fd12::5]:80', ['[fd12::9]:80', '[fd12:0:0:1::9]:80']), both('[fd12::9]:80'))
  t.same(reached('[::ffff:10.0.0.5]:80', ['10.0.0.1:80', '[::ffff:10.0.0.2]:80']).at(0)?.length, 2)
  t.same(reached('169.254.0.5:80', ['169.254.0.6:80', '169.254.169.254:80']), [[], []], 'link-local never')
  t.same(reached('[fd00:ec2::1]:80', ['[fd00:ec2::254]:80']), [[], []], 'nor where clouds keep credentials')
  t.same(reached('0.0.0.0:80', home), [[], []])
  t.end()
})

t.test(
  'FW-1 from the fact to the gate: a private address leads out when given by hand, not when told',
  async (t) => {
    const [, bob = ''] = PEOPLE
    const [typed, told] = ['10.1.2.3:80', '10.1.2.4:80']
    const at = (how: 'hand' | 'link', ...endpoints: string[]): Fact => ({
      type: 'ContactEndpointsLearned',
      data: { id: bob, endpoints, how },
    })
    const asked: Fact = { type: 'FriendRequested', data: { id: bob, token: Buffer.alloc(32, 1) } }
    const world = await given(asked, at('link', told), at('hand', typed, told))
    const open = (...places: string[]) =>
      places.filter((each) => dialled({ ...base, rows: world.view.allowed() }, each, bob))
    t.same(open(typed, told), [typed])
    world.when(at('link', typed, told))
    t.same(open(typed, told), [typed], 'what was given stays given when it is told as well')
    world.when(at('hand', 'other.example:80', typed, told))
    t.same(open(typed, told), [typed], 'and when something else is given')
    world.when(at('hand', told, 'other.example:80', typed))
    t.same(open(typed, told), [typed, told], 'what was told can be given too')
    world.when(at('hand', told), at('link', typed))
    t.same(open(typed, told), [told], 'and what was taken out is not given any more')
  },
)

t.test('what a name means is judged again after resolution', (t) => {
  const learned = { host: 'a.example', port: 80, word: 'contact' } as const
  const typed = { ...learned, word: 'user' } as const
  t.equal(refusalOf(base, learned, '8.8.8.8'), null)
  for (const ip of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1'])
    t.not(refusalOf(base, learned, ip), null, ip)
  t.equal(refusalOf(base, typed, '127.0.0.1'), null)
  t.not(refusalOf(base, typed, '169.254.169.254'), null, 'the name is the user’s word, where it leads is not')
  t.end()
})

t.test('datagrams: to listed trackers', (t) => {
  const rows = [{ kind: 'tracker' as const, who: 'sotto-tracker://t', endpoints: ['127.0.0.1:7000'] }]
  t.ok(maySend({ ...base, rows }, 'sotto-tracker://t').ok, 'the user typed its address')
  t.notOk(maySend({ ...base, rows }, 'sotto-tracker://u').ok)
  t.notOk(maySend({ ...base, rows, mode: 'tor' }, 'sotto-tracker://t').ok)
  t.end()
})

t.test('no policy ever lets a learned address lead inside', (t) => {
  const inner = fc.constantFrom(
    '127.0.0.1',
    '10.0.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '[::1]',
    '[fe80::1]',
    '[::ffff:127.0.0.1]',
  )
  fc.assert(
    fc.property(
      fc.array(inner, { minLength: 1 }),
      fc.integer({ min: 1, max: 65535 }),
      fc.boolean(),
      (hosts, port, known) => {
        const endpoints = hosts.map((host) => `${host}:${port}`)
        const policy = known ? withAlice(endpoints) : { ...base, strangers: new Set(['ALICE']) }
        for (const each of endpoints) t.notOk(dialled(policy, each), each)
      },
    ),
    { numRuns: 100 },
  )
  t.end()
})

t.test('names are asked for once a minute, and failures again after ten seconds', async (t) => {
  const clock = new ManualClock()
  const asked: string[] = []
  const names = new Names(clock, (name) => {
    asked.push(name)
    return name === 'a' ? Promise.resolve(['::ffff:1.2.3.4', 'nonsense']) : Promise.reject(new Error('none'))
  })
  t.same(await names.lookup('a'), ['1.2.3.4'])
  t.same(await names.lookup('a'), ['1.2.3.4'])
  t.same(await names.lookup('b'), [])
  clock.advance(9_000)
  t.same(await names.lookup('b'), [])
  t.same(asked, ['a', 'b'])
  clock.advance(52_000)
  await Promise.all([names.lookup('a'), names.lookup('b')])
  t.same(asked, ['a', 'b', 'a', 'b'])
})

t.test('refusals are told once, and a flood of them is cut', (t) => {
  const refusals = new Refusals()
  const proof = { what: 'proof', detail: 'x' } as const
  t.ok(refusals.admit(proof, 0))
  t.notOk(refusals.admit(proof, 599_999))
  t.ok(refusals.admit(proof, 600_000))
  const flood = Array.from({ length: 500 }, (_, i) =>
    refusals.admit({ what: 'dial', detail: String(i) }, 600_001),
  )
  t.equal(flood.filter(Boolean).length, 29)
  const rogue = (remote: number) => refusals.admit({ what: 'connection', detail: String(remote) }, 600_002)
  t.ok(rogue(1), 'noise hides no connection that is not ours')
  t.equal(
    Array.from({ length: 500 }, (_, i) => rogue(i)).filter(Boolean).length,
    9,
    'of which few are told too',
  )
  t.end()
})

t.test('the system’s list of sockets is read and compared', (t) => {
  t.same(parsePlace('0100007F:1F90'), { host: '127.0.0.1', port: 8080 })
  t.same(parsePlace('00000000000000000000000001000000:0050'), { host: '::1', port: 80 })
  t.same(parsePlace('0000000000000000FFFF00000100007F:0050'), { host: '127.0.0.1', port: 80 })
  t.equal(parsePlace('zz:1'), null)
  const expected: Expected = {
    listening: [80],
    dialled: new Set(['8.8.8.8:443']),
    udpPorts: [5000],
    resolvers: ['9.9.9.9'],
  }
  const ip = (host: string, port: number) => ({ host, port })
  const listed = (protocol: 'tcp' | 'udp', port: number, remote: ReturnType<typeof ip> | null) =>
    isExpected({ protocol, local: ip('10.0.0.1', port), remote }, expected)
  t.ok(listed('tcp', 80, null))
  t.ok(listed('tcp', 80, ip('7.7.7.7', 9)), 'a visitor')
  t.ok(listed('tcp', 4001, ip('8.8.8.8', 443)), 'a dial')
  t.notOk(listed('tcp', 4001, ip('8.8.8.8', 444)))
  t.notOk(listed('tcp', 4001, null), 'a listener of somebody else')
  t.ok(listed('udp', 5000, null))
  t.notOk(listed('udp', 5001, null))
  t.ok(listed('udp', 5002, ip('9.9.9.9', 53)), 'the resolver')
  t.notOk(listed('udp', 5002, ip('6.6.6.6', 53)))
  t.end()
})
