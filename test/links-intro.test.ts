import t from 'tap'
import fc from 'fast-check'
import { concat, lp, utf8 } from '../src/foundation/bytes.js'
import { kdf, md5, sha256, unseal, x25519Public } from '../src/foundation/crypto.js'
import { seededRng } from '../src/foundation/rng.js'
import { parseCertificate } from '../src/keys/certificate.js'
import type { Vault } from '../src/net/gate/vault.js'
import { parseHello, parseRequest, parseResult, verifyIdentity } from '../src/net/links/intro-messages.js'
import {
  beginIntro,
  stepIntro,
  type Intro,
  type IntroEffect,
  type IntroInitiatorParams,
  type IntroInput,
  type IntroResponderParams,
  type RequestBody,
} from '../src/net/links/intro.js'
import { packPadded } from '../src/net/links/packed.js'
import { makeIntroProof, verifyProof } from '../src/net/links/proof.js'
import { ReplayCache } from '../src/net/links/replay-cache.js'
import { isWork } from '../src/net/links/work.js'
import { NOON, person, type Person } from './fixtures/people.js'

const rng = seededRng('first contact')
const alice = person(0)
const bob = person(1)
const carol = person(2)
const mallory = person(3)
const introductionSecret = rng.bytes(32)
const introduction = x25519Public(introductionSecret)
const place = { path: '/', host: 'bob.example' }
const JPEG = concat(Buffer.from('ffd8ffe0', 'hex'), rng.bytes(900))
const REQUEST: RequestBody = {
  nickname: 'Alice',
  avatar: JPEG,
  token: rng.bytes(32),
  endpoints: ['192.0.2.1:7000'],
  text: 'we met at the library',
  at: NOON,
}

class End {
  readonly sent: Buffer[] = []
  readonly told: IntroEffect[] = []
  constructor(private state: Intro) {}

  static begin([state, effects]: [Intro, IntroEffect[]]): End {
    const end = new End(state)
    end.#note(effects)
    return end
  }
  get stage(): string {
    return this.state.stage
  }
  /** Steps, and searches on for as long as work is to be done. */
  step(input: IntroInput, now = NOON): Buffer | undefined {
    const before = this.sent.length
    const [state, effects] = stepIntro(this.state, input, now, rng)
    this.state = state
    this.#note(effects)
    if (effects.at(-1)?.kind === 'work') this.step({ kind: 'work' })
    return this.sent[before]
  }
  takes(bytes: Uint8Array, now = NOON): Buffer | undefined {
    return this.step({ kind: 'message', bytes }, now)
  }
  saw<K extends IntroEffect['kind']>(kind: K): Extract<IntroEffect, { kind: K }> | undefined {
    return this.told.find((effect): effect is Extract<IntroEffect, { kind: K }> => effect.kind === kind)
  }
  #note(effects: readonly IntroEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') this.sent.push(Buffer.from(effect.bytes))
      else this.told.push(effect)
    }
  }
}

interface Story {
  readonly caller?: Partial<IntroInitiatorParams>
  readonly callee?: Partial<IntroResponderParams>
}

/** Alice dials Bob, whose ID and introduction key she knows; Bob's front lets her through. */
function meet({ caller, callee }: Story = {}): { asker: End; asked: End } {
  const made = makeIntroProof({ introduction, ...place, now: NOON, rng })
  const proven = verifyProof({
    ...{ proof: made.proof, ...place, method: 'GET', now: NOON, startedAt: 0, contacts: [] },
    introductions: [{ secret: introductionSecret, public: introduction }],
    replays: new ReplayCache(),
  })
  if (proven?.kind !== 'intro') throw new Error('not let through')
  const asker = beginIntro(
    'initiator',
    { vault: alice.vault, introduction, ...made, expect: bob.vault.address, request: REQUEST, ...caller },
    rng,
  )
  const card = { nickname: 'Bob', avatar: JPEG, discoverable: true }
  const keys = { introductionSecret, introductionPublic: introduction, ephemeral: proven.ephemeral }
  const asked = beginIntro(
    'responder',
    { vault: bob.vault, ...keys, ...proven, card, workBits: 8, ...callee },
    rng,
  )
  return { asker: End.begin(asker), asked: End.begin(asked) }
}

t.test('FRD-1 a look-up shows who stands behind an ID, and tells nothing of who asks', (t) => {
  const { asker, asked } = meet({ caller: { request: null } })
  const hello = asked.takes(asker.sent[0]!)!
  t.equal(asker.takes(hello), undefined)
  t.match(asker.saw('hello'), { id: bob.identity.id, card: { nickname: 'Bob' }, discoverable: true })
  t.same(asker.saw('hello')?.identity, { certificate: bob.certificate, spki: bob.identity.spki })
  t.same(asker.saw('hello')?.card?.avatar, JPEG)
  t.equal(asker.stage, 'done')
  t.equal(asked.told.length, 0, 'Bob heard no name')
  const said = asker.sent[0]!
  for (const trace of [alice.certificate, alice.identity.spki, alice.vault.address]) {
    t.notOk(said.includes(Buffer.from(trace.slice(0, 16))))
  }
  t.notOk(hello.includes(Buffer.from(bob.vault.address)), 'nor does the wire show Bob')

  const shy = meet({ caller: { request: null }, callee: { card: { nickname: 'Bob', discoverable: false } } })
  shy.asker.takes(shy.asked.takes(shy.asker.sent[0]!)!)
  t.match(shy.asker.saw('hello'), { card: null, discoverable: false })
  t.end()
})

t.test('message 1 is what SPEC § 6.3 says, written out once more', (t) => {
  const made = makeIntroProof({ introduction, ...place, now: NOON, rng })
  const params = { vault: alice.vault, introduction, ...made, expect: bob.vault.address, request: null }
  const bytes = End.begin(beginIntro('initiator', params, rng)).sent[0]!
  const h = sha256(utf8('sotto/intro/1'), made.proof, introduction)
  const keys = kdf(kdf(made.sessionKey, 'sotto/intro-k1/1', h), 'sotto/intro-keys/1', h, 64)
  t.equal(unseal(keys.subarray(0, 32), new Uint8Array(12), h, bytes)?.length, 1184)
  t.end()
})

t.test('FRD-2 a request carries ID, nickname, picture, signed key and its MD5, and is answered', (t) => {
  for (const result of ['queued', 'busy', 'refused'] as const) {
    const { asker, asked } = meet()
    const request = asker.takes(asked.takes(asker.sent[0]!)!)!
    t.equal(asked.takes(request), undefined, 'Bob says nothing before it is durable')
    t.same(asked.saw('request')?.request, REQUEST)
    t.match(asked.saw('request'), { id: alice.identity.id, identity: { spki: alice.identity.spki } })
    const answer = asked.step({ kind: 'decided', result })!
    asker.takes(answer)
    t.equal(asker.saw('result')?.result, result)
    t.equal(answer.length, 256 + 16, 'no answer is told by its length')
    t.same([asker.stage, asked.stage], ['done', 'done'])
  }
  t.end()
})

t.test('FRD-2 Mallory cannot answer for Bob, nor Bob be mistaken', (t) => {
  const refuses = (story: Story, reason: string, what: string) => {
    const { asker, asked } = meet(story)
    const hello = asked.takes(asker.sent[0]!)
    asker.takes(hello!)
    t.same(asker.saw('failed')?.reason, reason, what)
    t.equal(asker.saw('hello') !== undefined, reason === 'too-much-work', what)
    t.equal(asker.sent.length, 1, `${what}: no request leaves`)
  }
  refuses(
    { callee: { vault: mallory.vault } },
    'bad-identity',
    'her certificate under a stolen introduction key',
  )
  refuses({ caller: { expect: carol.vault.address } }, 'bad-identity', 'another address was expected')
  refuses(
    { callee: { vault: { ...identityOf(bob), spki: mallory.vault.spki } } },
    'bad-identity',
    'key ≠ certificate',
  )
  refuses(
    { callee: { vault: { ...identityOf(bob), certificate: bent(bob.certificate, 60) } } },
    'bad-identity',
    'bent',
  )
  refuses({ callee: { workBits: 25 } }, 'too-much-work', 'work without end')
  // Without the introduction secret she has a wrong session key at best.
  const { asker, asked } = meet({ callee: { sessionKey: rng.bytes(32) } })
  t.equal(asked.takes(asker.sent[0]!), undefined)
  t.equal(asked.saw('failed')?.reason, 'unopened')
  t.end()
})

/** Only what is public about someone, for a vault that cannot use it. */
function identityOf({ vault }: Person): Vault {
  const { id, address, certificate, spki, epoch } = vault
  const refuse = () => {
    throw new Error('no private key here')
  }
  const keys = { pairKey: refuse, staticDh: refuse, linkKeys: refuse, openOaep: refuse, addressSeed: refuse }
  return { id, address, certificate, spki, epoch, ...keys, dh: refuse, close: () => undefined }
}

function bent(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}

t.test('FRD-2 Bob decides only on requests that prove their sender and their work', (t) => {
  const refused = (story: Story, reason: string, what: string) => {
    const { asker, asked } = meet(story)
    const request = asker.takes(asked.takes(asker.sent[0]!)!)
    asked.takes(request!)
    t.equal(asked.saw('failed')?.reason, reason, what)
    t.notOk(asked.saw('request'), what)
    t.equal(asked.sent.length, 1, 'and says nothing')
  }
  // Mallory shows Alice's certificate, which is public, and has only a `dh` key of her own.
  const asAlice = { ...identityOf(alice), dh: (peer: Uint8Array) => mallory.vault.dh(peer) }
  refused({ caller: { vault: asAlice } }, 'unopened', 'the certificate of someone else')
  const badKey = {
    ...identityOf(alice),
    spki: mallory.vault.spki,
    dh: (peer: Uint8Array) => alice.vault.dh(peer),
  }
  refused({ caller: { vault: badKey } }, 'bad-identity', 'the key of someone else')
  refused({ caller: { vault: bob.vault } }, 'bad-identity', 'Bob himself')
  const badText = { ...REQUEST, nickname: 'Al\u202eice' }
  refused({ caller: { request: badText } }, 'malformed', 'a nickname that rewrites the terminal')
  refused({ caller: { request: { ...REQUEST, token: rng.bytes(16) } } }, 'malformed', 'a short token')
  refused({ caller: { request: { ...REQUEST, avatar: rng.bytes(100) } } }, 'malformed', 'not a picture')
  refused({ caller: { request: { ...REQUEST, endpoints: ['nowhere'] } } }, 'malformed', 'not an address')

  const { asker } = meet({ caller: { request: { ...REQUEST, text: 'x'.repeat(16_000) } } })
  t.same(
    [asker.saw('failed')?.reason, asker.sent.length],
    ['too-large', 0],
    'our own oversize request stays here',
  )
  t.end()
})

t.test('FW-3 a request without its work is refused', (t) => {
  // The asker does 8 bits of work; the one who is asked wants 20.
  const { asker, asked } = meet()
  const hello = asked.takes(asker.sent[0]!)!
  const request = asker.takes(hello)!
  const greedy = meetAgain(asked, 20)
  greedy.takes(request)
  t.equal(greedy.saw('failed')?.reason, 'no-work')

  const h = rng.bytes(32)
  let zeros = 0
  for (let work = 0; work < 4096; work++) if (isWork(h, work, 8)) zeros++
  t.ok(zeros > 2 && zeros < 40, 'about one in 256 is good for 8 bits')
  t.end()
})

/** The same exchange, with another mind about the work. */
function meetAgain(asked: End, workBits: number): End {
  const state = (asked as unknown as { state: Intro & { params: IntroResponderParams } }).state
  return new End({ ...state, params: { ...state.params, workBits } } as Intro)
}

t.test('a bit flipped anywhere, a cut, an oversize or repeated message ends it', (t) => {
  const spoils: [string, (m: Buffer) => Buffer][] = [
    ['first byte', (m) => bent(m, 0)],
    ['in the first part', (m) => bent(m, 30)],
    ['middle', (m) => bent(m, m.length >> 1)],
    ['in the tag', (m) => bent(m, m.length - 1)],
    ['cut', (m) => m.subarray(0, -1)],
    ['empty', () => Buffer.alloc(0)],
    ['oversize', () => Buffer.alloc(40_000)],
    ['a length beyond the end', (m) => concat(Buffer.alloc(4, 0xff), m)],
  ]
  for (const [what, spoil] of spoils) {
    for (let n = 0; n < 4; n++) {
      const { asker, asked } = meet()
      const wire = (message: Buffer, at: number) => (at === n ? spoil(message) : message)
      const hello = asked.takes(wire(asker.sent[0]!, 0))
      const request = hello === undefined ? undefined : asker.takes(wire(hello, 1))
      if (request !== undefined) asked.takes(wire(request, 2))
      const answer = asked.step({ kind: 'decided', result: 'queued' })
      if (answer !== undefined) asker.takes(wire(answer, 3))
      if (n < 3) t.notOk(asked.saw('request'), `${what} in message ${n + 1}`)
      t.notOk(asker.saw('result'), `${what} in message ${n + 1}`)
    }
  }
  const { asker, asked } = meet()
  asked.step({ kind: 'decided', result: 'queued' })
  t.equal(asked.saw('failed')?.reason, 'out-of-order')
  t.equal(asked.takes(asker.sent[0]!), undefined, 'silence after the end')
  t.end()
})

t.test('a certificate that is not valid now is refused', (t) => {
  const { asker, asked } = meet()
  const { notAfter } = parseCertificate(bob.certificate)
  asker.takes(asked.takes(asker.sent[0]!)!, notAfter + 1)
  t.equal(asker.saw('failed')?.reason, 'bad-identity')
  t.end()
})

t.test('KEY-2 the MD5 beside the key is verified on receipt', (t) => {
  const fields = { v: 1, certificate: bob.certificate, spki: bob.identity.spki, discoverable: false, work: 0 }
  t.ok(parseHello(packPadded({ ...fields, md5: md5(bob.identity.spki) })))
  t.throws(() => parseHello(packPadded(fields)), { code: 'malformed' }, 'it is not optional')
  const lying = md5(mallory.identity.spki)
  t.throws(() => verifyIdentity(parseHello(packPadded({ ...fields, md5: lying })), { now: NOON }), {
    code: 'untrusted-key',
  })
  t.end()
})

t.test('random bytes never crash a first contact or its parsers', (t) => {
  fc.assert(
    fc.property(fc.boolean(), fc.uint8Array({ maxLength: 2000 }), (asking, bytes) => {
      const { asker, asked } = meet()
      const end = asking ? asker : asked
      end.takes(asking ? concat(lp(bytes), bytes) : bytes)
      return end.stage === 'failed'
    }),
    { numRuns: 25 },
  )
  for (const parse of [parseHello, parseRequest, parseResult]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        t.throws(() => parse(bytes), { code: 'malformed' })
      }),
      { numRuns: 100 },
    )
  }
  t.end()
})

t.teardown(() => [alice, bob, carol, mallory].forEach(({ vault }) => vault.close()))
