import { randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import { SottoError } from '../src/foundation/errors.js'
import { seededRng } from '../src/foundation/rng.js'
import { systemClock } from '../src/net/clock.js'
import { Admission } from '../src/net/gate/admission.js'
import { cookieOfProof, makeContactProof, makeIntroProof } from '../src/net/links/proof.js'
import { openFront, type Front } from '../src/net/site/front.js'
import { buildSite } from '../src/net/site/pages.js'
import { siteListener } from '../src/net/site/site.js'
import { WEB_LIMITS, type WebLimits } from '../src/net/site/web-server.js'
import { eventually, HandView, INTRODUCTION, SITE_SEED } from './fixtures/gate-world.js'
import { normalise, probe, type Probe } from './fixtures/prober.js'

const TOKEN = Buffer.alloc(32, 9)
const rng = seededRng('front')
const UNHEARD = { onRefused: () => undefined, onFault: () => undefined }
const site = () => siteListener(SITE_SEED, seededRng('visitors'))

interface Pair {
  readonly on: Front
  readonly off: Front
  readonly callers: object[]
}

/** The same site twice: with links on, and off. */
async function openPair(limits: WebLimits = WEB_LIMITS, listener: RequestListener = site()): Promise<Pair> {
  const hand = new HandView()
  hand.friend('ALICE', { admits: TOKEN })
  const admission = new Admission(hand.view, systemClock, UNHEARD)
  const callers: object[] = []
  const place = { host: '127.0.0.1', port: 0, site: listener, limits }
  const on = await openFront({
    ...place,
    links: {
      examine: (request) => admission.examine(request),
      onCaller: (proven, socket) => {
        callers.push(proven)
        socket.on('message', (data) => socket.send(data))
      },
    },
  })
  return { on, off: await openFront({ ...place, links: null }), callers }
}

function upgrade(
  options: { sid?: string; path?: string; host?: string; more?: string; key?: string } = {},
): string {
  const { sid, path = '/', host = 'notes.example', more = '', key = 'dGhlIHNhbXBsZSBub25jZQ==' } = options
  const cookie = sid === undefined ? '' : `Cookie: sid=${sid}\r\n`
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${cookie}${more}\r\n`
}

function probes(seed: Uint8Array): Probe[] {
  const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: notes.example\r\n${more}\r\n`
  const paths = [...buildSite(seed).pages.keys()]
  const good = upgrade()
  const wrong = (bytes: number) => upgrade({ sid: randomBytes(bytes).toString('base64url') })
  const stale = makeContactProof({ token: TOKEN, path: '/', host: 'notes.example:80', now: 1, rng }).proof
  const elsewhere = makeContactProof({
    token: TOKEN,
    path: '/',
    host: 'other:80',
    now: Date.now(),
    rng,
  }).proof
  return [
    ...paths.flatMap((path) => [[get(path)], [`HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`]]),
    ...[[good], [good + get('/')], [good, get('/')], [good + good], [get('/') + good + get('/about')]],
    ...[[get('/') + get('/about') + get('/nowhere')], [upgrade({ more: 'Connection: close\r\n' })]],
    ...[
      [wrong(72)],
      [wrong(72) + get('/')],
      [wrong(71)],
      [wrong(73)],
      [wrong(0)],
      [upgrade({ sid: '!'.repeat(96) })],
    ],
    ...[[upgrade({ sid: cookieOfProof(stale) })], [upgrade({ sid: cookieOfProof(elsewhere) })]],
    ...[[upgrade({ path: '/nowhere' })], [upgrade({ path: '/?a=b' })], [upgrade({ path: '*' })]],
    ...[[upgrade({ key: 'short' })], [upgrade({ host: '' })], [upgrade({ more: 'Host: second\r\n' })]],
    ...[
      [upgrade({ more: 'Upgrade: h2c\r\n' })],
      [upgrade({ more: 'Sec-WebSocket-Extensions: permessage-deflate\r\n' })],
    ],
    ...[
      [upgrade({ more: 'Content-Length: 5\r\n' }) + 'hello' + get('/')],
      [upgrade({ more: 'Content-Length: x\r\n' })],
    ],
    ...[
      [upgrade({ more: 'Transfer-Encoding: chunked\r\n' }) + '3\r\nabc\r\n0\r\n\r\n'],
      [upgrade({ more: 'Expect: 100-continue\r\n' })],
    ],
    ...[[good.replace('websocket', 'h2c')], [good.replace('websocket', '')], [good.replace('13', '12')]],
    ...[
      [good.replace('HTTP/1.1', 'HTTP/1.0')],
      [good.replace('HTTP/1.1', 'HTTP/9.9')],
      [good.replace('GET', 'POST')],
    ],
    ...[
      [good.replace('GET', 'BREW')],
      [good.replace('GET', 'OPTIONS')],
      [good.replace('Host: notes.example\r\n', '')],
    ],
    ...[
      [good.replaceAll('\r\n', '\n')],
      [good.replace(': ', ':')],
      [good.replace('Upgrade: ', ' Upgrade: ')],
    ],
    ...[
      [good.slice(0, 40)],
      [good.slice(0, 40), good.slice(40)],
      [good.slice(0, -2)],
      ['GET / HTTP/1.1\r\n'],
      ['G'],
    ],
    ...[
      [get('/', 'Upgrade: websocket\r\n')],
      [get('/', 'Connection: Upgrade\r\n')],
      [get(`/${'x'.repeat(20_000)}`)],
    ],
    ...[
      [get('/', `X: ${'y'.repeat(20_000)}\r\n`)],
      [get('/', 'X: y\r\n'.repeat(1_500))],
      [get('/', 'X: \x01\r\n')],
    ],
    ...[
      ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ],
    ...[
      ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['\r\n\r\n' + get('/')],
      ['GET http://notes.example/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ],
    ...[
      ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'],
      ['DELETE / HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['GET /'],
    ],
    ...[
      ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'],
      [Buffer.from('1603010200010001fc0303', 'hex')],
      [get('/', 'Connection: close\r\n')],
    ],
    ...[
      [get('/', 'If-None-Match: *\r\n')],
      [get('/', 'If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT\r\n')],
    ],
  ]
}

t.test('CAM-1 a stranger sees a web site, byte for byte the same as with links switched off', async (t) => {
  const { on, off, callers } = await openPair({ ...WEB_LIMITS, perAddress: WEB_LIMITS.total })
  const random = Array.from({ length: 60 }, (_, i): Probe => [randomBytes(1 + ((i * 37) % 700))])
  const all = [...probes(SITE_SEED), ...random]
  let answered = 0
  for (let at = 0; at < all.length; at += 16) {
    const batch = all.slice(at, at + 16)
    const answers = await Promise.all(
      batch.map(async (parts) => {
        const both = await Promise.all([probe(on.address.port, parts), probe(off.address.port, parts)])
        return { parts, on: normalise(both[0]), off: normalise(both[1]) }
      }),
    )
    for (const answer of answers) {
      if (answer.off.startsWith('HTTP/1.1 200')) answered++
      if (answer.on !== answer.off)
        t.equal(answer.on, answer.off, JSON.stringify(answer.parts.map(String)).slice(0, 300))
    }
  }
  t.ok(answered > 50, `${answered} of ${all.length} probes were answered by pages`)
  t.same(callers, [], 'nobody got in')
  await Promise.all([on.close(), off.close()])
})

t.test('a half request is given up after the same time with links on and off', async (t) => {
  const { on, off } = await openPair({ ...WEB_LIMITS, headersMs: 300, requestMs: 300, checkMs: 50 })
  const began = Date.now()
  const half = [upgrade().slice(0, 60)]
  const [first, second] = await Promise.all([on, off].map((front) => probe(front.address.port, half, 250)))
  t.match(first, /^HTTP\/1\.1 408 /, 'the slow are told and cut off')
  t.equal(first, second)
  t.ok(Date.now() - began < 2_500, 'by the limit, not by us')
  await Promise.all([on.close(), off.close()])
})

t.test(
  'slow loris: one address holds only so many connections, and the site answers others meanwhile',
  async (t) => {
    const limits = { ...WEB_LIMITS, perAddress: 8, total: 10 }
    const { on, off } = await openPair(limits)
    const sockets = Array.from({ length: 40 }, () => connect(on.address.port, '127.0.0.1'))
    for (const socket of sockets) socket.on('error', () => undefined).write('GET / HT')
    let cut = 0
    for (const socket of sockets) socket.on('close', () => cut++)
    await eventually(() => (cut === 32 ? true : undefined), 'the surplus is cut off')
    t.equal(on.visitors, 8)
    for (const socket of sockets) socket.destroy()
    await eventually(() => (on.visitors === 0 ? true : undefined), 'room again')
    t.match(await probe(on.address.port, ['GET / HTTP/1.1\r\nHost: a\r\n\r\n']), /^HTTP\/1\.1 200/)
    await Promise.all([on.close(), off.close()])
  },
)

t.test('who proves a secret is let through; the same proof again shows the site', async (t) => {
  const { on, off, callers } = await openPair()
  const host = `127.0.0.1:${on.address.port}`
  const alice = makeContactProof({ token: TOKEN, path: '/', host, now: Date.now(), rng })
  const stranger = makeIntroProof({ introduction: INTRODUCTION, path: '/', host, now: Date.now(), rng })

  t.equal(await echo(host, cookieOfProof(alice.proof)), 'echo')
  t.equal(await echo(host, cookieOfProof(stranger.proof)), 'echo')
  t.match(callers, [
    { kind: 'contact', who: 'ALICE', sessionKey: alice.sessionKey },
    { kind: 'intro', ephemeral: stranger.ephemeral, sessionKey: stranger.sessionKey },
  ])

  const replay = upgrade({ sid: cookieOfProof(alice.proof), host })
  const [again, plain] = await Promise.all([
    probe(on.address.port, [replay]),
    probe(off.address.port, [replay]),
  ])
  t.equal(normalise(again), normalise(plain), 'a replay is answered as by the plain site')
  t.match(again, /^HTTP\/1\.1 200 /)

  const other = makeContactProof({ token: TOKEN, path: '/', host, now: Date.now(), rng })
  const moved = upgrade({ sid: cookieOfProof(other.proof), host, path: '/about' })
  t.match(await probe(on.address.port, [moved]), /^HTTP\/1\.1 200 /, 'a proof is for one path')
  t.equal(callers.length, 2)
  await Promise.all([on.close(), off.close()])
})

t.test('a caller who is let go at once can still not hurt with what stands behind the upgrade', async (t) => {
  let callers = 0
  const front = await openFront({
    ...{ host: '127.0.0.1', port: 0, site: site() },
    links: {
      examine: () => ({}),
      onCaller: (_proved, socket) => {
        callers++
        socket.terminate()
      },
    },
  })
  await probe(front.address.port, [Buffer.concat([Buffer.from(upgrade()), Buffer.alloc(4, 0xff)])])
  t.equal(callers, 1)
  await front.close()
})

t.test('while our own records cannot be read everybody is a stranger, and it is told once', async (t) => {
  const hand = new HandView()
  hand.friend('ALICE', { admits: TOKEN })
  let damaged = true
  const contacts = () => {
    if (damaged) throw new SottoError('projections-damaged')
    return [...hand.people.values()]
  }
  const faults: unknown[] = []
  const onFault = (error: unknown) => faults.push(error)
  const admission = new Admission({ ...hand.view, contacts }, systemClock, { ...UNHEARD, onFault })
  const links = {
    examine: (request: IncomingMessage) => admission.examine(request),
    onCaller: (_proved: object, socket: WebSocket) => socket.terminate(),
  }
  const front = await openFront({ host: '127.0.0.1', port: 0, site: site(), links })
  const host = `127.0.0.1:${front.address.port}`
  const knock = () => {
    const { proof } = makeContactProof({ token: TOKEN, path: '/', host, now: Date.now(), rng })
    return probe(front.address.port, [upgrade({ sid: cookieOfProof(proof), host })])
  }
  t.match(await knock(), /^HTTP\/1\.1 200 /)
  t.match(await knock(), /^HTTP\/1\.1 200 /)
  t.match(faults, [{ code: 'projections-damaged' }])
  damaged = false
  t.match(await knock(), /^HTTP\/1\.1 101 /)
  t.equal(faults.length, 1)
  await front.close()
})

t.test('the site: whole for every seed, the same for one seed, unlike for two', (t) => {
  const bodies = new Set<string>()
  for (let i = 0; i < 40; i++) {
    const seed = Buffer.alloc(32, i + 1)
    const { pages } = buildSite(seed)
    const home = pages.get('/')?.body.toString() ?? ''
    bodies.add(home)
    t.equal(home, buildSite(seed).pages.get('/')?.body.toString())
    for (const [, page] of pages) {
      const text = page.body.toString()
      t.notMatch(text, /sotto|undefined|\{[a-z]+\|/i)
      for (const [, link = ''] of text.matchAll(/(?:href)="([^"]+)"/g)) t.ok(pages.has(link), link)
    }
  }
  t.equal(bodies.size, 40)
  t.end()
})

t.test('the site answers conditional requests, HEAD, 404 and 405 as a web server should', async (t) => {
  const { on, off } = await openPair()
  const base = `http://127.0.0.1:${on.address.port}`
  const first = await fetch(base)
  const etag = first.headers.get('etag') ?? ''
  t.equal(first.status, 200)
  t.match(await first.text(), /<!doctype html>/)
  t.match(first.headers.get('set-cookie'), /^sid=[A-Za-z0-9_-]{96}; /, 'visitors carry a cookie like a proof')
  t.equal((await fetch(base, { headers: { 'if-none-match': etag } })).status, 304)
  t.equal((await fetch(base, { headers: { 'if-none-match': '"other"' } })).status, 200)
  const since = first.headers.get('last-modified') ?? ''
  t.equal((await fetch(base, { headers: { 'if-modified-since': since } })).status, 304)
  const head = await fetch(base, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), first.headers.get('content-length'))
  t.equal((await fetch(`${base}/nowhere`)).status, 404)
  t.equal((await fetch(base, { method: 'PUT', body: 'x' })).status, 405)
  await Promise.all([on.close(), off.close()])
})

function echo(host: string, sid: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${host}/`, {
      headers: { Cookie: `sid=${sid}` },
      perMessageDeflate: false,
    })
    socket.on('open', () => {
      socket.send(Buffer.from('echo'))
    })
    socket.on('message', (data: Buffer) => {
      resolve(data.toString())
      socket.close()
    })
    socket.on('error', reject)
  })
}
