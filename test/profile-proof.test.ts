import fc from 'fast-check'
import t, { type Test } from 'tap'
import { memoryFileSystem } from '../src/events/file-system/memory.js'
import { FactStore } from '../src/events/store/fact-store.js'
import type { Fact, FactType } from '../src/events/vocabulary/facts.js'
import { concat, equalBytes, utf8 } from '../src/foundation/bytes.js'
import { hash } from '../src/foundation/crypto.js'
import { isSottoError } from '../src/foundation/errors.js'
import { seededRng } from '../src/foundation/rng.js'
import { ed25519Public } from '../src/keys/ed25519.js'
import { idOf } from '../src/keys/user-id.js'
import { fact } from '../src/profile/decisions/context.js'
import { cutLines } from '../src/profile/proof/cut-lines.js'
import { exportLines } from '../src/profile/proof/export.js'
import { MAX_LINE_BYTES } from '../src/profile/proof/export-line.js'
import { linePieces } from '../src/profile/proof/line-pieces.js'
import { Pieces } from '../src/profile/proof/pieces.js'
import { type Receipt, isGenuine, readReceipt, writeReceipt } from '../src/profile/proof/receipt.js'
import type { Selection } from '../src/profile/proof/selection.js'
import { type ExportReport, verifyExport } from '../src/profile/proof/verify-export.js'
import { REGISTRY } from '../src/events/vocabulary/registry.js'
import { anyFact } from './fixtures/histories.js'
import { logOptions } from './fixtures/logs.js'

const NOON = 1_700_000_000_000
const HOUR = 3_600_000
const SEED = seededRng('alice').bytes(32)
const ADDRESS = ed25519Public(SEED)
const ALICE = idOf(ADDRESS)
const [BOB, CAROL] = ['bob', 'carol'].map((name) => idOf(ed25519Public(seededRng(name).bytes(32))))
const TOKEN = Buffer.alloc(32, 0x5e)
const BORING = 'yes'

const letter = (n: number) => ({
  messageId: n.toString(16).padStart(32, '0'),
  checkCode: Buffer.alloc(16, n),
  sentAt: NOON,
})
const said = (n: number, text: string, to = BOB!): Fact =>
  fact('MessageQueued', { ...letter(n), kind: 'text', body: { text }, to })
const heard = (n: number, text: string, from = BOB!): Fact =>
  fact('MessageReceived', { ...letter(n), kind: 'text', body: { text }, from, how: 'link' })

/** Alice's log: with Bob and Carol, an hour between any two groups. */
const GROUPS: readonly (readonly Fact[])[] = [
  [fact('ProfileChanged', { nickname: 'alice' }), fact('FriendSecretDrawn', { secret: TOKEN })],
  [fact('FriendRequested', { id: BOB!, token: TOKEN, text: 'hello?' })],
  [said(1, 'hello bob'), said(2, 'carol, do not tell bob: ü "quoted" \u2028', CAROL)],
  [heard(3, BORING)],
  [fact('MessageQueued', { ...letter(4), kind: 'friend-secret', body: { secret: TOKEN }, to: BOB! })],
  [heard(5, BORING, CAROL)],
  [fact('ContactBlocked', { id: BOB! }), fact('LoggedOut', {})],
]

async function aliceLog(groups = GROUPS): Promise<FactStore> {
  const store = await FactStore.create(logOptions(memoryFileSystem(), { owner: ADDRESS }))
  for (const [i, facts] of groups.entries()) await store.append(facts, NOON + i * HOUR)
  return store
}

async function exportOf(store: FactStore, selection: Selection = {}): Promise<string> {
  const { logId, head } = store
  const readRecords = (from: number) => store.readRecords(from)
  const source = { logId, address: ADDRESS, addressSeed: SEED, head, now: NOON, readRecords }
  const pieces: Buffer[] = []
  for await (const piece of linePieces(exportLines(source, selection), 100)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

async function* chunks(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

function verified(text: string | Buffer, since?: string): Promise<ExportReport> {
  const lines = cutLines(chunks(Buffer.from(text)), MAX_LINE_BYTES)
  return verifyExport(lines, since === undefined ? null : readReceipt(since))
}

const codes = ({ problems }: ExportReport) => problems.map(({ code }) => code)

interface Line {
  readonly records: { seq: number; type: number; fact?: { type: FactType } }[]
}
const parsed = (text: string) =>
  text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Line)

function isBad(t: Test, text: string): void {
  try {
    readReceipt(text)
    t.fail(`read ${text}`)
  } catch (error) {
    t.ok(isSottoError(error, 'bad-receipt'), String(error))
  }
}

t.test('ES-4 a receipt is what its owner signed, in one form alone', (t) => {
  const receipt: Receipt = {
    logId: Buffer.alloc(16, 1),
    address: ADDRESS,
    seq: 2 ** 40 + 5,
    link: Buffer.alloc(32, 2),
    at: NOON,
  }
  const text = writeReceipt(SEED, receipt)
  t.match(text, /^sotto-receipt-1:[A-Za-z0-9_-]{212}$/)
  const read = readReceipt(text)
  t.match({ ...read }, { seq: receipt.seq, at: NOON })
  t.ok(isGenuine(read))
  t.notOk(
    isGenuine(readReceipt(writeReceipt(seededRng('mallory').bytes(32), receipt))),
    'Mallory’s signature',
  )
  for (const bad of ['', 'sotto-receipt-1:', text.slice(0, -1), `${text}A`, `${text}=`, ` ${text}`])
    isBad(t, bad)
  isBad(t, text.replace('receipt-1', 'receipt-2'))
  isBad(t, text.replace(/.$/, '+'))
  const prefix = 'sotto-receipt-1:'.length
  for (let i = prefix; i < text.length; i++) {
    const changed = text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1)
    try {
      if (isGenuine(readReceipt(changed))) t.fail(`character ${i} can be changed`)
    } catch (error) {
      if (!isSottoError(error, 'bad-receipt')) t.fail(String(error))
    }
  }
  t.end()
})

t.test('ES-4 an export of everything verifies, and discloses no secret', async (t) => {
  const store = await aliceLog()
  const text = await exportOf(store)
  const report = await verified(text)
  t.match(report, { ok: true, owner: ALICE, events: 10, disclosed: 7, problems: [], from: { seq: 0 } })
  t.equal(report.head.seq, store.head.seq)
  t.ok(equalBytes(report.head.link, store.head.link))
  const told = parsed(text).flatMap(({ records }) => records.flatMap(({ fact }) => fact?.type ?? []))
  t.same(told.slice(0, 2), ['ProfileChanged', 'MessageQueued'])
  t.notOk(text.includes(TOKEN.toString('base64url')), 'no token, no friend secret')
  for (let size = 1; size < 8; size++) {
    const cut = cutLines(chunks(Buffer.from(text), size), MAX_LINE_BYTES)
    t.ok((await verifyExport(cut)).ok, `read ${size} bytes at a time`)
  }
})

t.test(
  'ES-4 what is selected goes from the first such group to the last, the rest as commitments',
  async (t) => {
    const store = await aliceLog()
    const told = async (selection: Selection) => {
      const text = await exportOf(store, selection)
      const report = await verified(text)
      t.ok(report.ok, JSON.stringify(selection))
      const seqs = parsed(text).flatMap(({ records }) => records.map(({ seq, fact }) => [seq, fact?.type]))
      return { text, from: report.from.seq, to: report.head.seq, told: seqs.filter(([, type]) => type) }
    }
    const carol = await told({ with: CAROL })
    t.match(carol, { from: 3, to: 8 })
    t.same(carol.told, [
      [5, 'MessageQueued'],
      [8, 'MessageReceived'],
    ])
    t.notOk(carol.text.includes('hello bob'))
    const bob = await told({ with: BOB, from: NOON + 2 * HOUR, to: NOON + 3 * HOUR })
    t.match(bob, {
      from: 3,
      to: 6,
      told: [
        [4, 'MessageQueued'],
        [6, 'MessageReceived'],
      ],
    })
    t.match(await told({ from: NOON + 6 * HOUR }), { from: 8, to: 10 })
    const nothing = await told({ from: NOON + 100 * HOUR })
    t.match(nothing, { from: 10, to: 10, told: [] }, 'nothing selected: the head and its receipt')
  },
)

t.test('ES-4 a text that was not selected can not be guessed from the file', async (t) => {
  const store = await aliceLog()
  const text = await exportOf(store, { with: CAROL })
  const lines = text.trim().split('\n').slice(1)
  const records = lines.flatMap((line) => (JSON.parse(line) as { records: Record<string, string>[] }).records)
  const hidden = records.find(({ seq }) => Number(seq) === 6)!
  const shown = records.find(({ seq }) => Number(seq) === 8)!
  t.same(Object.keys(hidden), ['seq', 'at', 'type', 'version', 'commitment'], 'no salt, no body')
  t.ok(shown['fact'], 'the same text from another person is there, with its salt')
  // Mallory knows the whole record but for the salt: exactly what Alice's log holds.
  const guess = await bodyOf(store, 6)
  const salts = records.flatMap(({ salt }) => (salt === undefined ? [] : [Buffer.from(salt, 'base64url')]))
  for (const salt of [Buffer.alloc(0), Buffer.alloc(16), ...salts]) {
    t.not(hash('sotto/body/1', concat(salt, guess.body)).toString('base64url'), hidden['commitment'])
  }
  t.equal(
    hash('sotto/body/1', guess.kept).toString('base64url'),
    hidden['commitment'],
    'with the salt it would be',
  )
})

async function bodyOf(store: FactStore, wanted: number) {
  for await (const records of store.readRecords(wanted)) {
    for (const { body, kept } of records) return { body: Buffer.from(body), kept: Buffer.from(kept) }
  }
  throw new Error('no such record')
}

t.test('ES-4 any change of any byte of an export is told', async (t) => {
  const store = await aliceLog()
  const bytes = Buffer.from(await exportOf(store, { with: CAROL }))
  const wrong: string[] = []
  for (let at = 0; at < bytes.length; at++) {
    // Half of the flips turn a letter's case: the changes that a lenient parser would let pass.
    const changed = Buffer.from(bytes)
    changed[at]! ^= at % 2 === 0 ? 0x20 : 0x01
    if ((await verified(changed)).ok) wrong.push(`byte ${at} changed`)
    if (at % 3 !== 0) continue
    const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    if ((await verified(without)).ok) wrong.push(`byte ${at} removed`)
  }
  t.same(wrong, [])
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length),
      fc.constantFrom(' ', '\n', '\r', '\t', '\0', ',', '{}', '\ufeff', 'A'),
      async (at, more) => {
        const longer = Buffer.concat([bytes.subarray(0, at), Buffer.from(more), bytes.subarray(at)])
        return !(await verified(longer)).ok
      },
    ),
    { numRuns: 150 },
  )
})

t.test('ES-4 lines removed, doubled, swapped, cut off; another owner, another receipt', async (t) => {
  const store = await aliceLog()
  const text = await exportOf(store)
  const lines = text.trim().split('\n')
  const put = (changed: readonly string[]) => verified(`${changed.join('\n')}\n`)
  for (let n = 1; n < lines.length; n++) {
    t.notOk((await put(lines.toSpliced(n, 1))).ok, `without line ${n}`)
    t.notOk((await put(lines.toSpliced(n, 0, lines[n]!))).ok, `line ${n} twice`)
    t.notOk((await put(lines.slice(0, n))).ok, `ends before line ${n}`)
    const other = n === 1 ? 2 : 1
    t.notOk(
      (await put(lines.with(n, lines[other]!).with(other, lines[n]!))).ok,
      `lines ${n} and ${other} swapped`,
    )
  }
  t.same(codes(await put(lines.slice(0, -1))), ['export-end'])
  t.same(codes(await put(lines.toSpliced(3, 1))), ['export-order'])
  t.same(codes(await verified('')), ['export-header'])
  t.same(codes(await verified(text.slice(0, -1))), ['export-line'], 'no line feed at the end')

  const header = JSON.parse(lines[0]!) as { receipt: string; to: { link: string } }
  const mallory = seededRng('mallory').bytes(32)
  const { logId, link, seq } = readReceipt(header.receipt)
  const swap = (receipt: string) => put(lines.with(0, lines[0]!.replace(header.receipt, receipt)))
  const base = { logId, address: ADDRESS, seq, link, at: NOON }
  t.same(codes(await swap(writeReceipt(mallory, base))), ['receipt-signature'])
  t.same(codes(await swap(writeReceipt(SEED, { ...base, logId: Buffer.alloc(16) }))), ['receipt-other-log'])
  const ofMallory = writeReceipt(mallory, { ...base, address: ed25519Public(mallory) })
  t.same(codes(await swap(ofMallory)), ['receipt-other-log'])
  t.same(codes(await swap(writeReceipt(SEED, { ...base, seq: 6 }))), ['receipt-link'])
  t.same(codes(await swap(writeReceipt(SEED, { ...base, link: Buffer.alloc(32) }))), ['receipt-link'])
  t.ok((await swap(writeReceipt(SEED, { ...base, at: NOON + 1 }))).ok, 'a second receipt of the same head')
})

t.test('ES-4 what a body says can not be told otherwise', async (t) => {
  const store = await aliceLog()
  const lines = (await exportOf(store)).trim().split('\n')
  const put = async (n: number, line: string) => codes(await verified(`${lines.with(n, line).join('\n')}\n`))
  const third = lines[3]!
  t.match(third, /hello bob/)
  t.same(await put(3, third.replace('hello bob', 'hello Bob')), ['export-fact'])
  t.same(await put(3, third.replace('"MessageQueued"', '"MessageReceived"')), ['export-fact'])
  for (const deep of [20, 5_000, 1_000_000])
    t.same(await put(3, third.replace('"hello bob"', '['.repeat(deep) + ']'.repeat(deep))), ['export-fact'])
  t.same(await put(3, third.replace('"seq":4,"at":', '"seq":4, "at":')), ['export-line'])
  t.same(await put(3, third.replace('"h', '"\\u0068')), ['export-line'], 'the same text in another spelling')
  const group = JSON.parse(third) as { records: { body: string; at: number; type: number }[]; link: string }
  const changed = (change: object) =>
    put(3, JSON.stringify({ ...group, records: [{ ...group.records[0], ...change }, group.records[1]] }))
  t.same(await changed({ at: NOON }), ['export-link'])
  t.same(await changed({ body: Buffer.from('x').toString('base64url') }), ['export-link'])
  t.same(await changed({ more: 1 }), ['export-line'], 'a field too many')
  t.same(await put(3, '{"records":[],"link":""}'), ['export-line'])
  t.same(await put(3, `{"records":${'['.repeat(100_000)}`), ['export-line'])
})

/** Mallory may sign whatever she likes in a log of her own; what comes of it is said, and never crashes. */
t.test('ES-4 records that say nothing in a chain that holds', async (t) => {
  const store = await aliceLog([[fact('LoggedOut', {})]])
  const forged = async (body: Uint8Array, type: number = REGISTRY.LoggedIn.code, version = 1) => {
    const salt = Buffer.alloc(16, 9)
    const lines = (await exportOf(store)).trim().split('\n')
    const header = JSON.parse(lines[0]!) as {
      from: { link: string }
      logId: string
      to: object
      receipt: string
    }
    const meta = Buffer.alloc(20)
    meta.writeUInt32BE(1, 4)
    meta.writeBigUInt64BE(BigInt(NOON), 8)
    meta.writeUInt16BE(type, 16)
    meta.writeUInt16BE(version, 18)
    const previous = Buffer.from(header.from.link, 'base64url')
    const link = hash('sotto/link/1', previous, meta, hash('sotto/body/1', salt, body))
    const logId = Buffer.from(header.logId, 'base64url')
    const receipt = writeReceipt(SEED, { logId, address: ADDRESS, seq: 1, link, at: NOON })
    const to = { seq: 1, link: link.toString('base64url') }
    const record = {
      seq: 1,
      at: NOON,
      type,
      version,
      salt: salt.toString('base64url'),
      body: Buffer.from(body).toString('base64url'),
      fact: { type: 'LoggedIn', data: {} },
    }
    const text = [
      { ...header, to, receipt },
      { records: [record], link: to.link },
    ]
      .map((each) => `${JSON.stringify(each)}\n`)
      .join('')
    return codes(await verified(text))
  }
  t.same(await forged(Buffer.of(0x80)), [], 'an empty map is a fact')
  t.same(await forged(Buffer.of(5)), ['malformed-event'])
  t.same(await forged(Buffer.of(0x80), 9999), ['unknown-event'])
  t.same(await forged(Buffer.of(0x80), REGISTRY.LoggedIn.code, 99), ['unknown-event'])
  t.same(
    await forged(concat(Buffer.of(0x81, 0xa1, 0x61), Buffer.alloc(5000, 0x91), Buffer.of(0x90))),
    ['malformed-event'],
    'nested too deeply',
  )
  t.same(
    await forged(concat(Buffer.of(0x81, 0xa1, 0x61, 0xcb, 0x7f, 0xf8), Buffer.alloc(6))),
    ['malformed-event'],
    'not a number',
  )
  t.same(
    await forged(concat(Buffer.of(0x81, 0xa9), utf8('__proto__'), Buffer.of(0x80))),
    ['export-fact'],
    'no prototype is touched',
  )
})

t.test('ES-4 a receipt kept elsewhere must lie in the file and agree', async (t) => {
  const store = await aliceLog()
  const early = await aliceLog(GROUPS.slice(0, 4))
  const { logId } = store
  const links = new Map<number, Uint8Array>()
  for await (const { fact, link } of store.read()) if (link !== null) links.set(fact.seq, Buffer.from(link))
  const receipt = (seq: number, change: Partial<Receipt> = {}) =>
    writeReceipt(SEED, {
      logId,
      address: ADDRESS,
      seq,
      link: links.get(seq) ?? Buffer.alloc(32),
      at: NOON,
      ...change,
    })
  const whole = await exportOf(store)
  const carol = await exportOf(store, { with: CAROL })
  for (const [seq] of links) t.ok((await verified(whole, receipt(seq))).ok, `receipt of ${seq}`)
  t.ok((await verified(carol, receipt(3))).ok, 'of the state before the first group')
  const said = async (text: string, since: string) => codes(await verified(text, since))
  t.same(await said(carol, receipt(2)), ['receipt-range'])
  t.same(await said(carol, receipt(10)), ['receipt-range'])
  t.same(await said(whole, receipt(11)), ['receipt-range'])
  t.same(await said(whole, receipt(4)), ['receipt-link'], 'in the middle of a group')
  t.same(await said(whole, receipt(6, { link: Buffer.alloc(32) })), ['receipt-link'])
  const ofAnother = await verified(whole, receipt(6, { logId: Buffer.alloc(16) }))
  t.same(codes(ofAnother), ['receipt-other-log'])
  t.match(ofAnother, { ok: false, genuine: true }, 'that says nothing against the file')
  t.same(
    await said(
      whole,
      receipt(6).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    ),
    ['receipt-signature'],
  )
  const damaged = whole.replace('"kind":"text"', '"kind":"Text"')
  t.same(await said(damaged, receipt(10)), ['export-fact', 'receipt-unreached'])
  t.match(await verified(damaged), { genuine: false })
  t.not(early.logId, logId)
})

t.test('ES-4 erased records are exported as what is left of them', async (t) => {
  const store = await aliceLog()
  const before = await exportOf(store)
  await store.append([fact('ContentForgotten', { letters: [], seqs: [6], why: 'asked' })], NOON)
  await store.forget([6])
  const text = await exportOf(store)
  const report = await verified(text, (JSON.parse(before.split('\n')[0]!) as { receipt: string }).receipt)
  t.match(report, { ok: true, disclosed: 7 })
  t.same(
    parsed(text).flatMap(({ records }) => records.find(({ seq }) => seq === 6)?.fact ?? []),
    [],
  )
  t.ok((await verified(before)).ok, 'the earlier export stays what it was')
})

t.test('ES-4 every kind of fact that there is exports and verifies', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyFact, { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
      async (groups) => {
        const text = await exportOf(await aliceLog(groups))
        const { ok, events } = await verified(text)
        return ok && events === groups.flat().length
      },
    ),
    { numRuns: 40 },
  )
})

t.test(
  'ES-4 lines are bounded: a long group tells less, a longer one is refused, and so are Mallory’s',
  async (t) => {
    const seqs = Array.from({ length: 130_000 }, (_, i) => 100_000 + i)
    const long = fact('ContentForgotten', { letters: [], seqs, why: 'asked' })
    const store = await aliceLog([...GROUPS, [long, long, long, long]])
    const text = await exportOf(store)
    const report = await verified(text)
    t.match(report, { ok: true, events: store.head.seq, disclosed: 7 }, 'the long group as commitments alone')
    const many = await aliceLog([
      Array.from({ length: 40_000 }, () => fact('OwnStatusChanged', { status: 'online', endpoints: [] })),
    ])
    await t.rejects(exportOf(many), { code: 'too-large' })

    const [header = '', ...groups] = text.trim().split('\n')
    const padded = header.replace('{', `{${' '.repeat(3 << 20)}`)
    t.same(codes(await verified([padded, ...groups, ''].join('\n'))), ['export-header'])
    const offset = header.length + 1
    const endless = Buffer.concat([Buffer.from(`${header}\n{"records":[`), Buffer.alloc(33 << 20, '{},')])
    t.match(await verified(endless), { ok: false, events: 0, problems: [{ offset, code: 'export-line' }] })
  },
)

t.test('a line that is too long ends the reading; pieces are handed over one by one', async (t) => {
  const lines = []
  for await (const line of cutLines(chunks(Buffer.from('ab\n\nabcdef\nx')), 5)) lines.push(line)
  t.match(lines, [
    { offset: 0, broken: false },
    { offset: 3, broken: false },
    { offset: 4, broken: true },
  ])
  t.equal(lines.length, 3)

  const pieces = new Pieces()
  const big = Buffer.alloc(2 << 20)
  pieces.push(big)
  let room = false
  const waited = pieces.room().then(() => (room = true))
  await Promise.resolve()
  t.notOk(room, 'too much waits')
  pieces.push(Buffer.of(1))
  pieces.end()
  const taken = []
  for await (const piece of pieces) taken.push(piece.length)
  await waited
  t.same(taken, [big.length, 1])
  const failing = new Pieces()
  failing.end(new Error('gone'))
  await t.rejects(failing[Symbol.asyncIterator]().next(), { message: 'gone' })
  const left = new Pieces()
  left.push(big)
  await left[Symbol.asyncIterator]().next()
  await left.room()
})
