import t from 'tap'
import { constants, createPublicKey, privateDecrypt } from 'node:crypto'
import fc from 'fast-check'
import { concat, toHex, u8, utf8 } from '../src/foundation/bytes.js'
import { kdf, mac, md5, sha256 } from '../src/foundation/crypto.js'
import { pack } from '../src/foundation/pack.js'
import { seededRng, type Rng } from '../src/foundation/rng.js'
import { issueCertificate } from '../src/keys/certificate.js'
import { deviceStatement } from '../src/keys/device-statement.js'
import { privateKey } from '../src/keys/rsa-secret.js'
import { openVault } from '../src/net/gate/open-vault.js'
import type { Vault } from '../src/net/gate/vault.js'
import {
  beginHandshake,
  stepHandshake,
  type Handshake,
  type HandshakeEffect,
  type HandshakeInput,
  type Role,
} from '../src/net/links/handshake.js'
import { type Announced, type Announcement, readAnnouncement } from '../src/net/links/announcement.js'
import { messageKey, mix } from '../src/net/links/handshake-schedule.js'
import { sealOnce } from '../src/net/links/handshake-state.js'
import { sealOaep } from '../src/net/links/oaep.js'
import { directionOf } from '../src/net/links/pair.js'
import { makeContactProof } from '../src/net/links/proof.js'
import { openFrame, sealFrame, type Session } from '../src/net/links/session.js'
import { answerCheck, verifyAnswer } from '../src/net/presence/check.js'
import type { ContactRow } from '../src/projections/view.js'
import { NOON, person, rowOf, type Person } from './fixtures/people.js'

const alice = person(0)
const bob = person(1)
const carol = person(2)
const rng = seededRng('handshakes')
const place = { path: '/', host: 'bob.example' }
const proofToBob = (source: Rng = rng) =>
  makeContactProof({ token: bob.token, ...place, now: NOON, rng: source })

/** One end: its state, what it has sent, and how it ended. */
class End {
  readonly sent: Buffer[] = []
  readonly labels: { ciphertext: Uint8Array; label: Uint8Array }[] = []
  session: Session | null = null
  peer: Announced | null = null
  failure: string | null = null
  #state: Handshake

  constructor(
    readonly vault: Vault,
    role: Role,
    row: ContactRow,
    proof: { proof: Uint8Array; sessionKey: Uint8Array },
    readonly rng: Rng = seededRng(role),
    own: Announcement = { statement: null, instance: seededRng(`instance ${role}`).bytes(16) },
  ) {
    const [state, effects] = beginHandshake(role, { vault, row, ...proof, own }, rng)
    this.#state = state
    this.#note(effects)
  }

  /** Takes a message in, opening OAEP where asked, and returns what it sends. */
  async takes(bytes: Uint8Array, oaep = this.#open): Promise<Buffer | undefined> {
    const before = this.sent.length
    const opening = this.step({ kind: 'message', bytes })
    if (opening !== undefined) this.step({ kind: 'oaep-opened', secret: await oaep(opening) })
    return this.sent[before]
  }

  step(input: HandshakeInput): { ciphertext: Uint8Array; label: Uint8Array } | undefined {
    const before = this.labels.length
    const [state, effects] = stepHandshake(this.#state, input, this.rng)
    this.#state = state
    this.#note(effects)
    return this.labels[before]
  }

  get stage(): string {
    return this.#state.stage
  }

  /** The inside of a state, for what Mallory may do with hers. */
  peek(): unknown {
    return this.#state
  }

  readonly #open = ({ ciphertext, label }: { ciphertext: Uint8Array; label: Uint8Array }) =>
    this.vault.openOaep(ciphertext, label)

  #note(effects: readonly HandshakeEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') this.sent.push(Buffer.from(effect.bytes))
      else if (effect.kind === 'open-oaep') this.labels.push(effect)
      else if (effect.kind === 'established') {
        this.session = effect.session
        this.peer = effect.peer
      } else this.failure = effect.reason
    }
  }
}

interface Pair {
  readonly initiator: End
  readonly responder: End
}

function ends(proof = proofToBob(), aliceSees = rowOf(bob), bobSees = rowOf(alice)): Pair {
  const initiator = new End(alice.vault, 'initiator', aliceSees, proof, seededRng(toHex(rng.bytes(8))))
  const responder = new End(bob.vault, 'responder', bobSees, proof, seededRng(toHex(rng.bytes(8))))
  return { initiator, responder }
}

/** Carries all five messages, `through` being the wire. */
async function run({ initiator, responder }: Pair, through = (message: Buffer, _n: number) => message) {
  let message: Buffer | undefined = initiator.sent[0]
  for (let n = 0; message !== undefined && n < 8; n++) {
    message = await (n % 2 === 0 ? responder : initiator).takes(through(message, n))
  }
}

/** In c and d: a statement of 123 bytes and an instance of 16, with their names. */
const ANNOUNCED = 7 + 2 + 123 + 9 + 2 + 16

const established = ({ initiator, responder }: Pair) =>
  initiator.session !== null || responder.session !== null

t.test('Alice links to Bob, and frames go both ways', async (t) => {
  const proof = proofToBob()
  const pair = ends(proof)
  await run(pair)
  const [a, b] = [pair.initiator.session!, pair.responder.session!]
  t.same([pair.initiator.stage, pair.responder.stage], ['established', 'established'])
  t.same(a.transcript, b.transcript)
  t.same([a.sendKey, a.receiveKey], [b.receiveKey, b.sendKey])
  t.notSame(a.sendKey, a.receiveKey)
  t.same(openFrame(b, sealFrame(a, { type: 'ping' })[1])?.[1], { type: 'ping' })
  t.same(openFrame(a, sealFrame(b, { type: 'pong' })[1])?.[1], { type: 'pong' })
  t.same(
    [...pair.initiator.sent, ...pair.responder.sent].map((message) => message.length),
    [1233, 1024 + 19 + ANNOUNCED + 16, 48, 1136, 1024 + 32 + 8 + ANNOUNCED + 16],
    'a, c, e, b and d weigh what SPEC says',
  )

  t.test('the transcript is the one of SPEC § 6.4, written out once more', (t) => {
    const [first, c, e] = pair.initiator.sent as [Buffer, Buffer, Buffer]
    const [b, d] = pair.responder.sent as [Buffer, Buffer]
    const mixed = (h: Uint8Array, ...parts: readonly Uint8Array[]) => sha256(utf8('sotto/mix/1'), h, ...parts)
    const ids = concat(alice.vault.address, bob.vault.address)
    const start = sha256(utf8('sotto/link/1'), u8(1), u8(1), proof.proof, ids)
    const afterB = mixed(mixed(start, first), b)
    t.same(pair.responder.labels[0]?.label, concat(utf8('sotto/oaep/1R'), afterB))
    const afterC = mixed(afterB, c)
    const { ciphertext, label } = pair.initiator.labels[0]!
    t.same(label, concat(utf8('sotto/oaep/1I'), afterC))
    const prints = concat(sha256(alice.identity.spki), sha256(bob.identity.spki))
    const announced = { device: Buffer.alloc(123), instance: seededRng('instance responder').bytes(16) }
    const packed = pack({ epoch: 0, ...announced })
    const bound = mixed(mixed(afterC, ciphertext, packed), prints, Buffer.alloc(8))
    t.same(a.transcript, mixed(mixed(bound, d), e))
    t.end()
  })

  t.test('RSA ciphertexts are nowhere on the wire', (t) => {
    const wire = Buffer.concat([...pair.initiator.sent, ...pair.responder.sent])
    for (const { ciphertext } of [...pair.responder.labels, ...pair.initiator.labels]) {
      t.equal(ciphertext.length, 1024)
      for (let at = 0; at + 16 <= ciphertext.length; at += 16) {
        if (wire.includes(Buffer.from(ciphertext.subarray(at, at + 16)))) t.fail('bare RSA on the wire')
      }
    }
    t.end()
  })

  t.test('the same proof and peers give other keys next time', async (t) => {
    const again = ends(proof)
    await run(again)
    t.notSame(again.initiator.session?.sendKey, a.sendKey)
    t.notSame(again.initiator.session?.transcript, a.transcript)
    // What both RSA keys give away later, without the ephemeral halves, makes no key of the session.
    const s1 = await secretOf(bob, pair.responder)
    const s2 = await secretOf(alice, pair.initiator)
    t.same([s1.length, s2.length], [32, 32])
    const guess = kdf(concat(proof.sessionKey, s1, s2), 'sotto/link-final/1', a.transcript, 128)
    t.notOk(guess.includes(Buffer.from(a.sendKey)))
  })

  t.test('nothing is said after the end', (t) => {
    t.equal(pair.initiator.step({ kind: 'message', bytes: pair.responder.sent[1]! }), undefined)
    t.same([pair.initiator.sent.length, pair.initiator.failure], [3, null])
    t.end()
  })
})

async function secretOf(who: Person, end: End): Promise<Uint8Array> {
  const { ciphertext, label } = end.labels[0]!
  return (await who.vault.openOaep(ciphertext, label))!
}

t.test(
  'DEV-1 both ends announce device and instance; who was never activated sends as many bytes',
  async (t) => {
    const at = NOON
    const device = (n: number) => seededRng(`device ${n}`).bytes(16)
    const instance = (n: number) => seededRng(`instance ${n}`).bytes(16)
    const said = (who: Person, n: number): Announcement => ({
      statement: deviceStatement({ ...who.identity, epoch: n, device: device(n), at }),
      instance: instance(n),
    })
    const between = async (ofAlice?: Announcement, ofBob?: Announcement) => {
      const proof = proofToBob()
      const pair = {
        initiator: new End(alice.vault, 'initiator', rowOf(bob), proof, seededRng('i'), ofAlice),
        responder: new End(bob.vault, 'responder', rowOf(alice), proof, seededRng('r'), ofBob),
      }
      await run(pair)
      return pair
    }
    const both = await between(said(alice, 2), said(bob, 7))
    t.match(both.responder.peer, { device: { epoch: 2, device: device(2) }, instance: instance(2) })
    t.match(both.initiator.peer, { device: { epoch: 7, device: device(7) }, instance: instance(7) })
    const none = await between()
    t.match([none.initiator.peer, none.responder.peer], [{ device: null }, { device: null }])
    const lengths = ({ initiator, responder }: Pair) =>
      [...initiator.sent, ...responder.sent].map((m) => m.length)
    t.same(lengths(both), lengths(none), 'the length tells nothing')

    for (const [ofAlice, ofBob] of [
      [said(bob, 1), said(bob, 1)],
      [said(alice, 1), said(alice, 1)],
      [{ statement: Buffer.alloc(123, 1), instance: instance(1) }, said(bob, 1)],
    ] as const) {
      const pair = await between(ofAlice, ofBob)
      t.equal(established(pair), false, 'a statement of somebody else is no statement')
      t.ok([pair.initiator.failure, pair.responder.failure].includes('device'))
    }
    const silent = readAnnouncement({}, alice.vault.address)
    t.same(silent, { device: null, instance: null }, 'version 0.1 announces nothing')
  },
)

t.test('a bit flipped anywhere, a cut, an oversize message: never established', async (t) => {
  const sizes = [1233, 1136, 1059 + ANNOUNCED, 1080 + ANNOUNCED, 48]
  for (const [n, size] of sizes.entries()) {
    // Each region of each message: head, ephemeral, KEM or RSA, MAC, fields, tag.
    const places = n < 2 ? [0, 1, 33, 600, size - 17, size - 1] : [0, size >> 1, size - 17]
    for (const at of places) {
      const pair = ends()
      await run(pair, (message, m) => (m === n ? flipped(message, at) : message))
      // The sender of e is through before e arrives; what it sends then, nobody reads.
      t.equal(pair.responder.session, null, `message ${n}, byte ${at}`)
      if (n < 4) t.notOk(established(pair), `message ${n}, byte ${at}`)
    }
  }
  for (const spoil of [(m: Buffer) => m.subarray(0, -1), () => Buffer.alloc(0), () => Buffer.alloc(9000)]) {
    for (const n of [0, 1]) {
      const pair = ends()
      await run(pair, (message, m) => (m === n ? spoil(message) : message))
      t.notOk(established(pair))
      t.ok(pair.initiator.failure ?? pair.responder.failure)
    }
  }
})

function flipped(message: Buffer, at: number): Buffer {
  const bent = Buffer.from(message)
  bent[at]! ^= 1
  return bent
}

t.test('reordered, repeated and unasked messages fail once, then silence', async (t) => {
  const pair = ends()
  const a = pair.initiator.sent[0]!
  await pair.responder.takes(a)
  await pair.responder.takes(a)
  t.equal(pair.responder.failure, 'unopened', 'a again where c belongs')
  const said = pair.responder.sent.length
  await pair.responder.takes(a)
  pair.responder.step({ kind: 'oaep-opened', secret: rng.bytes(32) })
  t.equal(pair.responder.sent.length, said, 'silence')
  t.equal(pair.responder.stage, 'failed')

  const early = ends()
  early.initiator.step({ kind: 'oaep-opened', secret: rng.bytes(32) })
  t.equal(early.initiator.failure, 'out-of-order')

  const impatient = ends()
  const b = await impatient.responder.takes(impatient.initiator.sent[0]!)
  const c = await impatient.initiator.takes(b!)
  impatient.responder.step({ kind: 'message', bytes: c! })
  impatient.responder.step({ kind: 'message', bytes: c! })
  t.equal(impatient.responder.failure, 'out-of-order', 'a message while the private key is at work')

  const mirrored = ends()
  await mirrored.initiator.takes(mirrored.initiator.sent[0]!)
  t.equal(mirrored.initiator.failure, 'unopened', 'reflected')
})

t.test('FW-2 Mallory, who stole the token, gets nowhere without the private key', async (t) => {
  const proof = proofToBob()
  // As Bob: she answers with a vault of her own, under Bob's name as far as she can.
  const mallory = person(3)
  const alices = new End(alice.vault, 'initiator', rowOf(bob), proof)
  const asBob = vaultWith(mallory.vault, bob)
  const fake = new End(asBob, 'responder', rowOf(alice), proof)
  await run({ initiator: alices, responder: fake })
  t.equal(alices.session, null)
  t.equal(alices.failure, 'not-the-peer')

  // As Alice: she cannot open s2, so her MAC is wrong.
  const bobs = new End(bob.vault, 'responder', rowOf(alice), proof)
  const asAlice = vaultWith(mallory.vault, alice)
  const claimed = new End(asAlice, 'initiator', rowOf(bob), proof)
  await run({ initiator: claimed, responder: bobs })
  t.equal(bobs.session, null)
  t.equal(claimed.sent.length, 2, 'she got d, and had no answer to it')

  // Nor does it help to send an e of her own making: she has its outer key, and no MAC key.
  const trusting = new End(bob.vault, 'responder', rowOf(alice), proof)
  const forger = new End(asAlice, 'initiator', rowOf(bob), proof)
  const d = await trusting.takes((await forger.takes((await trusting.takes(forger.sent[0]!))!))!)
  forger.step({ kind: 'message', bytes: d! })
  const known = forger.peek() as { hs: Uint8Array; bound: Uint8Array }
  const transcript = mix(known.bound, d!)
  const forged = sealOnce(messageKey(known.hs, 'e', transcript), transcript, rng.bytes(32))
  await trusting.takes(forged)
  t.same([trusting.session, trusting.failure], [null, 'not-the-peer'])

  // Without the token not even a opens.
  const guessed = { proof: proof.proof, sessionKey: rng.bytes(32) }
  const stranger = new End(asAlice, 'initiator', rowOf(bob), guessed)
  const asked = new End(bob.vault, 'responder', rowOf(alice), proof)
  await run({ initiator: stranger, responder: asked })
  t.equal(asked.failure, 'unopened')
  t.equal(asked.sent.length, 0)
})

/** Mallory's private keys under someone else's name. */
function vaultWith(keys: Vault, name: Person): Vault {
  const { id, address, certificate, spki, epoch } = name.vault
  return {
    ...{ id, address, certificate, spki, epoch },
    pairKey: () => rng.bytes(32),
    staticDh: () => rng.bytes(32),
    dh: (peer) => keys.dh(peer),
    linkKeys: freeKeys,
    openOaep: (ciphertext, label) => keys.openOaep(ciphertext, label),
    addressSeed: () => rng.bytes(32),
    close: () => undefined,
  }
}

/** linkKeys without a policy. */
function freeKeys(_row: ContactRow, hs: Uint8Array, s1: Uint8Array, s2: Uint8Array, transcript: Uint8Array) {
  return kdf(concat(hs, s1, s2), 'sotto/link-final/1', transcript, 128)
}

t.test('a relay that swaps the peer fails: each end binds the row it looked up', async (t) => {
  const swapped = ends(proofToBob(), rowOf(bob), rowOf(carol))
  await run(swapped)
  t.notOk(established(swapped), 'Bob took Alice for Carol')
  const mistaken = ends(proofToBob(), rowOf(carol), rowOf(alice))
  await run(mistaken)
  t.notOk(established(mistaken), 'Alice took Bob for Carol')
  const crossed = ends(proofToBob())
  const other = ends(proofToBob())
  await run({ initiator: crossed.initiator, responder: other.responder })
  t.notOk(crossed.initiator.session ?? other.responder.session, 'spliced from two handshakes')
})

t.test('unequal epochs are read in c and d, and fail at the MAC', async (t) => {
  // Bob has a certificate of epoch 1; Alice still has the one of epoch 0 pinned, with the same keys.
  const { identity } = bob
  const later = issueCertificate({
    ...identity,
    epoch: 1,
    dh: kdf(identity.dhSecret, 'sotto/test/1'),
    notBefore: NOON,
    predecessor: { secret: carol.identity.rsa, spki: carol.identity.spki },
  })
  const proof = proofToBob()
  const rotated = openVault({ ...identity, epoch: 1 }, later)
  const responder = new End(rotated, 'responder', rowOf(alice), proof)
  const initiator = new End(alice.vault, 'initiator', rowOf(bob), proof)
  await run({ initiator, responder })
  t.equal(initiator.failure, 'not-the-peer')
  t.equal(responder.stage, 'awaiting-e')
  rotated.close()
})

t.test('an OAEP failure is answered like any other and fails at the MAC', async (t) => {
  for (const secret of [null, Buffer.alloc(31), rng.bytes(32)]) {
    const { initiator, responder } = ends()
    const b = await responder.takes(initiator.sent[0]!)
    const c = await initiator.takes(b!)
    const d = await responder.takes(c!, () => Promise.resolve(secret))
    t.equal(d?.length, 1080 + ANNOUNCED, 'd looks as always')
    t.equal(await initiator.takes(d!), undefined)
    t.equal(initiator.failure, 'not-the-peer')
  }
})

t.test(
  'FW-4 no policy row, no key: strangers, the blocked and the unpinned are denied before any work',
  (t) => {
    const proof = proofToBob()
    for (const over of [
      { state: 'incoming' },
      { state: 'blocked' },
      { certificate: null },
      { spki: null },
    ] as const) {
      const end = new End(alice.vault, 'initiator', rowOf(bob, over), proof)
      t.same([end.failure, end.sent.length], ['denied', 0], JSON.stringify(over))
    }
    const swapped = new End(alice.vault, 'initiator', rowOf(bob, { certificate: carol.certificate }), proof)
    t.equal(swapped.failure, 'denied', 'a certificate of another ID')
    const asked = new End(alice.vault, 'initiator', rowOf(bob, { state: 'requested' }), proof)
    t.equal(asked.failure, null, 'the one we asked links in to bring the acceptance')

    const row = rowOf(bob, { state: 'incoming' })
    const none = Buffer.alloc(32)
    t.throws(() => alice.vault.pairKey(row), { code: 'gate-denied' })
    t.throws(() => alice.vault.staticDh(row), { code: 'gate-denied' })
    t.throws(() => alice.vault.linkKeys(row, none, none, none, none), { code: 'gate-denied' })
    t.end()
  },
)

t.test('PRE-1 a status check: MD5(nonce ‖ SPKI) as asked, and a MAC only the owner can make', async (t) => {
  const pair = ends()
  await run(pair)
  const [a, b] = [pair.initiator.session!, pair.responder.session!]
  const nonce = rng.bytes(32)
  const answer = answerCheck(bob.vault, rowOf(alice), b, nonce)
  t.same(answer.md5, md5(nonce, bob.identity.spki))
  t.ok(verifyAnswer(alice.vault, rowOf(bob), a, nonce, answer))

  const wrong: [string, Parameters<typeof verifyAnswer>][] = [
    ['another nonce', [alice.vault, rowOf(bob), a, rng.bytes(32), answer]],
    ['another link', [alice.vault, rowOf(bob), { ...a, transcript: rng.bytes(32) }, nonce, answer]],
    ['wrong MD5', [alice.vault, rowOf(bob), a, nonce, { ...answer, md5: rng.bytes(16) }]],
    ['someone else', [alice.vault, rowOf(carol), a, nonce, answer]],
    [
      'her own answer, reflected',
      [alice.vault, rowOf(bob), a, nonce, answerCheck(alice.vault, rowOf(bob), a, nonce)],
    ],
    [
      'her own MAC, reflected beside the right MD5',
      [
        alice.vault,
        rowOf(bob),
        a,
        nonce,
        { ...answer, mac: answerCheck(alice.vault, rowOf(bob), a, nonce).mac },
      ],
    ],
    ['cut short', [alice.vault, rowOf(bob), a, nonce, { ...answer, mac: answer.mac.subarray(0, 16) }]],
  ]
  for (const [what, args] of wrong) t.notOk(verifyAnswer(...args), what)
  // Mallory knows both public keys and all that went over the wire, so she can make the MD5; not the MAC.
  const direction = directionOf(bob.vault.address, alice.vault.address)
  const guess = kdf(concat(alice.vault.certificate, bob.vault.certificate), 'sotto/pair/1')
  const forged = { md5: answer.md5, mac: mac(guess, 'sotto/check/1', direction, nonce, a.transcript) }
  t.notOk(verifyAnswer(alice.vault, rowOf(bob), a, nonce, forged))
})

t.test('KEY-1 our OAEP is OpenSSL’s: SHA-256, MGF1-SHA-256, label', async (t) => {
  const oaepLabel = rng.bytes(40)
  const secret = rng.bytes(32)
  const ciphertext = sealOaep(
    createPublicKey({ key: Buffer.from(bob.identity.spki), format: 'der', type: 'spki' }),
    oaepLabel,
    secret,
  )
  const key = privateKey(bob.identity.rsa)
  const oaep = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel }
  t.same(privateDecrypt(oaep, ciphertext), secret)
  t.same(await bob.vault.openOaep(ciphertext, oaepLabel), secret)
  t.equal(await bob.vault.openOaep(ciphertext, rng.bytes(40)), null, 'another label')
  t.equal(await bob.vault.openOaep(rng.bytes(1024), oaepLabel), null, 'noise')
  t.equal(await bob.vault.openOaep(rng.bytes(7), oaepLabel), null, 'wrong length')
})

t.test('the vault agrees with its peers, queues private work within bounds, and forgets', async (t) => {
  t.same(alice.vault.pairKey(rowOf(bob)), bob.vault.pairKey(rowOf(alice)))
  t.same(alice.vault.staticDh(rowOf(bob)), bob.vault.staticDh(rowOf(alice)))
  t.notSame(alice.vault.pairKey(rowOf(bob)), alice.vault.pairKey(rowOf(carol)))
  alice.vault.pairKey(rowOf(bob)).fill(0)
  t.same(alice.vault.pairKey(rowOf(bob)), bob.vault.pairKey(rowOf(alice)), 'callers get copies')

  const vault = openVault(carol.identity, carol.certificate)
  const label = u8(1)
  const sealed = sealOaep(
    createPublicKey({ key: Buffer.from(carol.identity.spki), format: 'der', type: 'spki' }),
    label,
    rng.bytes(32),
  )
  // Wrong lengths are refused by OpenSSL at once, so that the queue is full of cheap work, with one real at its end.
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) => vault.openOaep(n === 16 || n === 17 ? sealed : u8(n), label)),
  )
  t.equal(results[16]?.length, 32, 'the sixteenth that waits')
  t.equal(results[17], null, 'one more is refused')
  t.equal((await vault.openOaep(sealed, label))?.length, 32, 'afterwards there is room again')

  vault.close()
  t.equal(await vault.openOaep(sealed, label), null)
  t.throws(() => vault.pairKey(rowOf(bob)), { code: 'gate-denied' })
  t.throws(() => vault.dh(rng.bytes(32)), { code: 'gate-denied' })
  t.throws(() => vault.addressSeed(), { code: 'gate-denied' })
  t.throws(() => openVault(carol.identity, bob.certificate), { code: 'untrusted-key' })
})

t.test('random bytes never crash a handshake', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom<Role>('initiator', 'responder'),
      fc.uint8Array({ maxLength: 1500 }),
      (role, bytes) => {
        const row = role === 'initiator' ? rowOf(bob) : rowOf(alice)
        const end = new End((role === 'initiator' ? alice : bob).vault, role, row, proofToBob())
        end.step({ kind: 'message', bytes })
        return end.stage === 'failed' && end.session === null
      },
    ),
    { numRuns: 30 },
  )
  t.end()
})

t.teardown(() => [alice, bob, carol].forEach(({ vault }) => vault.close()))
