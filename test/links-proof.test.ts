import t from 'tap'
import fc from 'fast-check'
import { concat, lp, u32, u64, u8 } from '../src/foundation/bytes.js'
import { kdf, seal, x25519Public } from '../src/foundation/crypto.js'
import { pack } from '../src/foundation/pack.js'
import { seededRng } from '../src/foundation/rng.js'
import {
  cookieOfProof,
  makeContactProof,
  makeIntroProof,
  PROOF_BYTES,
  proofOfCookie,
  verifyProof,
  type ProofClaim,
} from '../src/net/links/proof.js'
import { buildProof, maskEphemeral } from '../src/net/links/proof-format.js'
import { ReplayCache } from '../src/net/links/replay-cache.js'
import { openFrame, sealFrame, type LinkFrame, type Session } from '../src/net/links/session.js'

const rng = seededRng('proofs')
const NOW = Date.UTC(2026, 0, 2, 12)
const PLACE = { path: '/photos/', host: 'bob.example:8080' }
const TOKENS = { alice: rng.bytes(32), carol: rng.bytes(32) }
const introductions = [rng.bytes(32), rng.bytes(32)].map((secret) => ({
  secret,
  public: x25519Public(secret),
}))
const [oldKey, newKey] = [introductions[0]!, introductions[1]!]

/** Bob's front, which lets Alice and Carol in. */
function front(over: Partial<ProofClaim> = {}): Omit<ProofClaim, 'proof'> {
  const contacts = Object.entries(TOKENS).map(([who, token]) => ({ who, token }))
  const replays = new ReplayCache()
  return { ...PLACE, method: 'GET', now: NOW, startedAt: 0, contacts, introductions, replays, ...over }
}
const alices = (now = NOW) => makeContactProof({ token: TOKENS.alice, ...PLACE, now, rng })
const strangers = (now = NOW) => makeIntroProof({ introduction: newKey.public, ...PLACE, now, rng })

t.test('a contact and a stranger prove themselves inside a cookie', (t) => {
  const { proof, sessionKey } = alices()
  t.equal(proof.length, PROOF_BYTES)
  t.equal(cookieOfProof(proof).length, 96)
  t.same(proofOfCookie(cookieOfProof(proof)), proof)
  t.match(verifyProof({ ...front(), proof }), { kind: 'contact', who: 'alice', proof, sessionKey })

  for (const key of [oldKey, newKey]) {
    const asked = makeIntroProof({ introduction: key.public, ...PLACE, now: NOW, rng })
    const proven = verifyProof({ ...front(), proof: asked.proof })
    t.match(proven, { kind: 'intro', sessionKey: asked.sessionKey, ephemeral: asked.ephemeral })
    t.match(proven, { introduction: key.public })
  }
  t.end()
})

t.test('CAM-1 Mallory, without the secret, gets nothing', (t) => {
  const { proof } = alices()
  const guess = makeContactProof({ token: rng.bytes(32), ...PLACE, now: NOW, rng })
  t.equal(verifyProof({ ...front(), proof: guess.proof }), null, 'a token of her own')
  const elsewhere = makeIntroProof({ introduction: x25519Public(rng.bytes(32)), ...PLACE, now: NOW, rng })
  t.equal(verifyProof({ ...front(), proof: elsewhere.proof }), null, 'an introduction key of someone else')
  t.equal(verifyProof({ ...front({ path: '/' }), proof }), null, 'moved to another path')
  t.equal(verifyProof({ ...front({ host: 'carol.example' }), proof }), null, 'moved to another host')
  t.equal(verifyProof({ ...front({ method: 'POST' }), proof }), null, 'moved to another method')
  t.equal(verifyProof({ ...front({ contacts: [] }), proof }), null, 'Alice is no contact any more')
  for (let byte = 0; byte < PROOF_BYTES; byte++) {
    for (const honest of [proof, strangers().proof]) {
      const bent = Buffer.from(honest)
      bent[byte]! ^= 1 << (byte % 8)
      if (verifyProof({ ...front(), proof: bent }) !== null) t.fail(`byte ${byte} may be changed`)
    }
  }
  for (const length of [0, 1, 71, 73, 4096]) {
    t.equal(verifyProof({ ...front(), proof: rng.bytes(length) }), null, `${length} bytes`)
  }
  t.end()
})

t.test('an ephemeral key of small order does not make the secret guessable', (t) => {
  // Mallory knows the introduction key and masks the zero point, whose agreement would be all zeros.
  const { proof } = makeIntroProofWithZeroPoint()
  t.equal(verifyProof({ ...front(), proof }), null)
  t.throws(() => makeIntroProof({ introduction: new Uint8Array(32), ...PLACE, now: NOW, rng }), {
    code: 'malformed',
  })
  t.end()
})

t.test('proofs are good once, in their minute, and not from before the start', (t) => {
  for (const make of [alices, strangers]) {
    const claim = front()
    const { proof } = make()
    t.ok(verifyProof({ ...claim, proof }))
    t.equal(verifyProof({ ...claim, proof }), null, 'replayed')
    t.equal(verifyProof({ ...claim, proof, now: NOW + 60_000 }), null, 'replayed at the end of the window')

    t.ok(verifyProof({ ...front(), proof: make(NOW - 60_000).proof }))
    t.ok(verifyProof({ ...front(), proof: make(NOW + 60_000).proof }))
    t.equal(verifyProof({ ...front(), proof: make(NOW - 60_001).proof }), null, 'too old')
    t.equal(verifyProof({ ...front(), proof: make(NOW + 60_001).proof }), null, 'too new')
    t.equal(verifyProof({ ...front({ startedAt: NOW + 1 }), proof: make().proof }), null, 'before the start')
  }
  t.end()
})

t.test('a replay from the future stays remembered as long as it could be accepted', (t) => {
  const claim = front()
  const { proof } = alices(NOW + 60_000)
  t.ok(verifyProof({ ...claim, proof }))
  t.equal(verifyProof({ ...claim, proof, now: NOW + 120_000 }), null)
  t.end()
})

t.test('FW-3 the replay cache is bounded, and nobody can use it to shut others out', (t) => {
  const claim = front({ introductions: [] })
  let admitted = 0
  for (let i = 0; i < 1100; i++) if (verifyProof({ ...claim, proof: alices().proof }) !== null) admitted++
  t.equal(admitted, 1024)
  t.equal(claim.replays.size, 1024)
  const carols = makeContactProof({ token: TOKENS.carol, ...PLACE, now: NOW, rng })
  t.ok(verifyProof({ ...claim, proof: carols.proof }), 'Carol still gets in')
  const later = NOW + 121_000
  t.ok(verifyProof({ ...claim, proof: alices(later).proof, now: later }), 'and Alice two minutes later')
  t.equal(claim.replays.size, 1)
  t.end()
})

t.test('CAM-1 proofs of contacts and strangers look the same: uniform bytes', (t) => {
  const samples = 300
  for (const make of [alices, strangers]) {
    const proofs = Array.from({ length: samples }, () => make().proof)
    // Each bit is set in half of the samples: 5.5 standard deviations over 576 bits.
    const bound = 5.5 * Math.sqrt(samples / 4)
    for (let bit = 0; bit < PROOF_BYTES * 8; bit++) {
      const ones = proofs.filter((proof) => (proof[bit >> 3]! >> (bit & 7)) & 1).length
      if (Math.abs(ones - samples / 2) > bound) t.fail(`bit ${bit} is set in ${ones} of ${samples}`)
    }
    // All byte values about as often: chi squared with 255 degrees of freedom, mean 255, deviation 22.6.
    const counts = new Array<number>(256).fill(0)
    for (const byte of Buffer.concat(proofs)) counts[byte]!++
    const expected = (samples * PROOF_BYTES) / 256
    const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    t.ok(chi > 130 && chi < 400, `chi squared ${chi.toFixed(0)}`)
  }
  t.end()
})

t.test('random bytes are no proof and no cookie', (t) => {
  const claim = front()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (proof) => verifyProof({ ...claim, proof }) === null),
    { numRuns: 60 },
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 120 }), (value) => {
      const proof = proofOfCookie(value)
      return proof === null || (proof.length === PROOF_BYTES && cookieOfProof(proof) === value)
    }),
  )
  t.equal(proofOfCookie(`${'A'.repeat(95)}=`), null)
  t.equal(claim.replays.size, 0)
  t.end()
})

/** Both ends of an established link. */
function link(): { alice: Session; bob: Session } {
  const [up, down, transcript] = [rng.bytes(32), rng.bytes(32), rng.bytes(32)]
  const counters = { sent: 0, received: 0, transcript }
  return {
    alice: { sendKey: up, receiveKey: down, ...counters },
    bob: { sendKey: down, receiveKey: up, ...counters },
  }
}

const FRAMES: LinkFrame[] = [
  { type: 'letter', bytes: rng.bytes(3000) },
  { type: 'ack', messageId: 'ab'.repeat(16), what: 'delivered' },
  { type: 'ack', messageId: 'cd'.repeat(16), what: 'read' },
  { type: 'check', nonce: rng.bytes(32) },
  { type: 'answer', md5: rng.bytes(16), mac: rng.bytes(32) },
  { type: 'ping' },
  { type: 'pong' },
  { type: 'endpoints', endpoints: ['192.0.2.7:8080', '[2001:db8::1]:443', 'bob.example:80'] },
  { type: 'close' },
]

t.test('frames of every type cross a link, padded to buckets', (t) => {
  let { alice, bob } = link()
  for (const frame of FRAMES) {
    const [sent, bytes] = sealFrame(alice, frame)
    const opened = openFrame(bob, bytes)
    t.same(opened?.[1], frame, frame.type)
    t.ok(
      [256, 512, 1024].includes(bytes.length - 16) || (bytes.length - 16) % 2048 === 0,
      'a bucket and a tag',
    )
    ;[alice, bob] = [sent, opened![0]]
  }
  t.throws(() => sealFrame(alice, { type: 'letter', bytes: rng.bytes(65_000) }), { code: 'too-large' })
  t.throws(() => sealFrame(alice, { type: 'unknown', code: 99 }), { code: 'malformed' })
  t.end()
})

t.test('a frame lost, repeated, reordered, reflected or bent does not open', (t) => {
  const { alice, bob } = link()
  const [next, first] = sealFrame(alice, { type: 'ping' })
  const [, second] = sealFrame(next, { type: 'pong' })
  t.equal(openFrame(bob, second), null, 'the first was lost')
  t.equal(openFrame(alice, first), null, 'reflected to its sender')
  const [after] = openFrame(bob, first)!
  t.equal(openFrame(after, first), null, 'repeated')
  t.same(openFrame(after, second)?.[1], { type: 'pong' })
  for (const at of [0, 8, 100, first.length - 1]) {
    const bent = Buffer.from(first)
    bent[at]! ^= 0x10
    t.equal(openFrame(bob, bent), null, `byte ${at}`)
  }
  t.equal(openFrame(bob, first.subarray(0, -1)), null, 'cut short')
  t.equal(openFrame(bob, Buffer.alloc(70_000)), null, 'oversize')
  t.equal(openFrame(bob, Buffer.alloc(0)), null, 'empty')
  t.end()
})

t.test('FW-3 what a peer may put into a frame is checked field by field', (t) => {
  const { alice, bob } = link()
  const arrives = (plain: Uint8Array) =>
    openFrame(bob, seal(alice.sendKey, new Uint8Array(12), none, plain))?.[1]
  const none = new Uint8Array(0)
  const framed = (code: number, body: Uint8Array, padding = 0) =>
    concat(u8(code), u64(0), lp(body), Buffer.alloc(8, padding))

  t.same(arrives(framed(9, rng.bytes(40))), { type: 'unknown', code: 9 }, 'a reserved type')
  t.same(arrives(framed(200, none)), { type: 'unknown', code: 200 }, 'a newer type')
  t.same(arrives(framed(5, none)), { type: 'ping' })
  t.equal(arrives(framed(5, none, 1)), undefined, 'padding that is not zero')
  t.equal(arrives(framed(5, rng.bytes(1))), undefined, 'a ping with a body')
  t.equal(arrives(framed(2, rng.bytes(16))), undefined, 'an ack cut short')
  t.equal(arrives(framed(2, Buffer.alloc(17, 2))), undefined, 'an ack of an unknown sort')
  t.equal(arrives(framed(3, rng.bytes(33))), undefined, 'a long nonce')
  t.equal(arrives(concat(u8(1), u64(0), u32(1 << 30))), undefined, 'a length beyond the end')
  const endpoints = (list: unknown) => arrives(framed(7, pack({ endpoints: list })))
  t.match(endpoints(['10.0.0.1:1']), { type: 'endpoints' })
  for (const bad of [
    ['10.0.0.1'],
    ['a:0'],
    ['a:65536'],
    ['a b:1'],
    ['http://a:1'],
    [7],
    'a:1',
    ['\u202ea:1'],
  ]) {
    t.equal(endpoints(bad), undefined, JSON.stringify(bad))
  }
  t.equal(endpoints(new Array(17).fill('a:1')), undefined, 'too many')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (plain) => {
      arrives(plain)
      return true
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.nat(16), fc.uint8Array({ maxLength: 300 }), (code, body) => {
      arrives(framed(code, body))
      return true
    }),
    { numRuns: 300 },
  )
  t.end()
})

/** What Mallory sends when she hopes for an all-zero agreement. */
function makeIntroProofWithZeroPoint(): { proof: Buffer } {
  const zero = new Uint8Array(32)
  const nonce = rng.bytes(16)
  const secret = kdf(zero, 'sotto/intro-proof/1', concat(zero, newKey.public))
  return buildProof(secret, nonce, maskEphemeral(zero, newKey.public, nonce), PLACE, NOW)
}
