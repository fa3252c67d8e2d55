import t from 'tap'
import type { ChildProcess } from 'node:child_process'
import { createCipheriv, createHash, hkdfSync, scryptSync } from 'node:crypto'
import fc from 'fast-check'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { concat, lp, u32, utf8 } from '../src/foundation/bytes.js'
import { isSottoError } from '../src/foundation/errors.js'
import { seededRng, systemRng } from '../src/foundation/rng.js'
import { checkBox, MAX_BOX_BYTES, openBox, sealBox } from '../src/keys/container.js'
import { identityFromPayload, payloadOf } from '../src/keys/identity.js'
import { readKeyFile, writeKeyFile } from '../src/keys/key-file.js'
import { forkFixture } from './fixtures/child.js'
import { fixtureIdentity } from './fixtures/identities.js'

/** scrypt with N = 16: the tests are about the format. */
const QUICK = { unsafeLogN: 4 }
const HEADER_BYTES = 32
const alice = fixtureIdentity(0)
const payload = payloadOf(alice, true)
const box = await sealBox(payload, 'backup', 'correct horse', seededRng('box'), QUICK)

function withCrc(bytes: Uint8Array): Buffer {
  const body = bytes.subarray(0, -4)
  return concat(body, u32(crc32(body)))
}
function withByte(bytes: Uint8Array, at: number, value: number): Buffer {
  const out = Buffer.from(bytes)
  out.writeUInt8(value, at)
  return out
}
async function refusal(bytes: Uint8Array, passphrase = 'correct horse'): Promise<string> {
  try {
    await openBox(bytes, passphrase, undefined, QUICK)
    return 'opened'
  } catch (error) {
    return isSottoError(error) ? error.code : String(error)
  }
}

/** SPEC 3 written again with node:crypto alone. */
function boxByHand(md5 = createHash('md5').update(payload).digest(), committed?: Buffer): Buffer {
  const salt = seededRng('box').bytes(16)
  const header = concat(utf8('SOTTOBOX'), Buffer.of(1, 1, 0, 1, 4, 8, 1), salt, Buffer.of(0))
  const stretched = scryptSync('correct horse', salt, 32, { N: 16, r: 8, p: 1 })
  const info = concat(utf8('sotto/box/1'), createHash('sha256').update(header).digest())
  const ikm = concat(lp(stretched), u32(0), u32(0))
  const kek = Buffer.from(hkdfSync('sha256', ikm, salt, info, 64))
  const sound = createHash('sha256').update('sotto/box-commitment/1').update(kek.subarray(32)).digest()
  const commitment = committed ?? sound
  const cipher = createCipheriv('aes-256-gcm', kek.subarray(0, 32), Buffer.alloc(12))
  cipher.setAAD(concat(header, commitment))
  const sealed = concat(cipher.update(concat(payload, md5)), cipher.final(), cipher.getAuthTag())
  return withCrc(concat(header, commitment, sealed, Buffer.alloc(4)))
}

t.test('STO-4 a box is, byte for byte, what SPEC 3 says', (t) => {
  t.same(box, boxByHand())
  t.end()
})

t.test('LGN-2 the MD5 inside is verified after opening', async (t) => {
  t.equal(await refusal(boxByHand()), 'opened')
  t.equal(await refusal(boxByHand(Buffer.alloc(16))), 'wrong-passphrase')
})

t.test(
  'Mallory makes a box that would open under several passphrases: its commitment fits one at most',
  async (t) => {
    t.equal(await refusal(boxByHand(undefined, Buffer.alloc(32, 1))), 'wrong-passphrase')
  },
)

t.test('STO-4 LGN-1 the passphrase opens what it sealed, with the work that SPEC asks', async (t) => {
  const real = await sealBox(payload, 'login', 'пароль ﬁne', systemRng)
  t.same({ ...checkBox(real), salt: null }, { type: 'login', logN: 18, salt: null })
  const { type, payload: back } = await openBox(real, 'пароль fine', 'login')
  t.equal(type, 'login', 'NFKC: the ligature is its letters')
  t.same(identityFromPayload(back), alice)
})

t.test('LGN-2 a wrong passphrase and damage behind it have one message', async (t) => {
  const wrong: string[] = []
  for (const [bytes, passphrase] of [
    [box, 'correct hors'],
    [box, ''],
    [withCrc(withByte(box, 40, 1)), 'correct horse'],
    [withCrc(withByte(box, 100, 1)), 'correct horse'],
  ] as const) {
    await openBox(bytes, passphrase, undefined, QUICK).catch((error: unknown) => {
      wrong.push(isSottoError(error) ? `${error.code} ${error.message} ${error.hint}` : '?')
    })
  }
  t.equal(wrong.length, 4)
  t.equal(new Set(wrong).size, 1)
  t.match(wrong[0], 'wrong-passphrase')
})

t.test('LGN-2 every flipped bit is refused by the check that comes first', async (t) => {
  for (let bit = 0; bit < box.length * 8; bit++) {
    const [byte, mask] = [bit >> 3, 1 << (bit & 7)]
    const value = box.readUInt8(byte) ^ mask
    const got = await refusal(withByte(box, byte, value))
    if (got !== firstCheck(byte, value)) t.fail(`byte ${byte} = ${value}: ${got}`)
  }
  t.pass('all of them')
})

/** Magic, version, bounds of the work, CRC. */
function firstCheck(byte: number, value: number): string {
  if (byte < 8) return 'not-a-backup'
  if (byte === 8) return 'backup-version'
  if (byte === 12) return value >= QUICK.unsafeLogN && value <= 20 ? 'backup-damaged' : 'backup-parameters'
  return [11, 13, 14].includes(byte) ? 'backup-parameters' : 'backup-damaged'
}

t.test('LGN-2 Mallory repairs the CRC: every bit behind the work is still refused', async (t) => {
  for (let bit = 15 * 8; bit < (box.length - 4) * 8; bit++) {
    const [byte, mask] = [bit >> 3, 1 << (bit & 7)]
    const got = await refusal(withCrc(withByte(box, byte, box.readUInt8(byte) ^ mask)))
    const expected = byte === HEADER_BYTES - 1 ? 'backup-version' : 'wrong-passphrase'
    if (got !== expected) t.fail(`byte ${byte}: ${got}`)
  }
  t.equal(await refusal(withCrc(withByte(box, 9, 2))), 'wrong-passphrase', 'a backup passed off as a login')
  t.equal(await refusal(withCrc(withByte(box, 9, 3))), 'backup-version', 'a payload type of the future')
  t.equal(await refusal(withCrc(withByte(box, 10, 1))), 'backup-version', 'a policy of the future')
})

t.test('LGN-2 truncated, oversized and foreign files are told apart, without any work', async (t) => {
  fc.assert(
    fc.property(fc.nat(box.length - 1), (length) => {
      const code = length < 100 ? 'not-a-backup' : 'backup-damaged'
      t.throws(() => checkBox(box.subarray(0, length), QUICK), { code })
    }),
    { examples: [[99], [100]] },
  )
  t.throws(() => checkBox(concat(box, Buffer.of(0)), QUICK), { code: 'backup-damaged' })
  t.throws(() => checkBox(concat(box, Buffer.alloc(MAX_BOX_BYTES)), QUICK), { code: 'not-a-backup' })
  t.throws(() => checkBox(Buffer.alloc(500, 'a')), { code: 'not-a-backup' })
  await t.rejects(openBox(box, 'correct horse', 'login', QUICK), {
    code: 'not-a-backup',
    message: /backup file/u,
  })
})

t.test('LGN-2 work out of bounds is refused before it is done', async (t) => {
  t.throws(() => checkBox(box), { code: 'backup-parameters' }, 'the N of the tests, in real life')
  for (const [byte, value] of [
    [11, 2],
    [12, 16],
    [12, 21],
    [12, 63],
    [12, 255],
    [13, 9],
    [13, 255],
    [14, 2],
    [14, 0],
  ] as const) {
    const hostile = withCrc(withByte(withByte(box, 12, 18), byte, value))
    t.throws(() => checkBox(hostile), { code: 'backup-parameters' })
    await t.rejects(openBox(hostile, 'x'), { code: 'backup-parameters' })
  }
  for (const logN of [16, 21]) {
    await t.rejects(sealBox(payload, 'backup', 'x', systemRng, { logN }), { code: 'backup-parameters' })
  }
  await t.rejects(sealBox(payload, 'backup', '', systemRng), { code: 'usage' })
})

t.test('the same passphrase seals under another salt and key each time', async (t) => {
  const again = await sealBox(payload, 'backup', 'correct horse', systemRng, QUICK)
  t.notSame(again.subarray(15, 31), box.subarray(15, 31))
  t.notSame(again.subarray(32), box.subarray(32))
})

t.test('STO-4 the file is 0600, whole, and replaces nothing unasked', async (t) => {
  const directory = t.testdir({})
  const path = join(directory, 'alice.sotto')
  await writeKeyFile(path, box)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(await readKeyFile(path), box)
  await t.rejects(writeKeyFile(path, Buffer.of(1)), { code: 'file-exists' })
  t.same(readFileSync(path), box, 'the first is still there')
  chmodSync(path, 0o644)
  await writeKeyFile(path, Buffer.of(2), { overwrite: true })
  t.same(readFileSync(path), Buffer.of(2))
  t.equal(statSync(path).mode & 0o777, 0o600, 'a loosened mode is not inherited')
  t.same(readdirSync(directory), ['alice.sotto'], 'nothing is left behind')
})

t.test('STO-4 of two writers at once one wins, and its file is whole', async (t) => {
  const directory = t.testdir({})
  const path = join(directory, 'race.sotto')
  const writers = Array.from({ length: 8 }, (_, n) => writeKeyFile(path, Buffer.alloc(1000, n)))
  const ended = await Promise.allSettled(writers)
  const winners = ended.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
  t.equal(winners.length, 1)
  t.same(readFileSync(path), Buffer.alloc(1000, winners[0]))
  t.same(readdirSync(directory), ['race.sotto'])
})

t.test(
  'STO-4 what a killed writer left is removed by the next one of the same file, and nothing else',
  async (t) => {
    const directory = t.testdir({})
    const path = join(directory, 'alice.ndjson')
    const [killed, living] = await Promise.all([halfWriting(path), halfWriting(path)])
    t.teardown(() => living.kill('SIGKILL'))
    const [one, other, ...none] = readdirSync(directory)
    t.same(none, [], 'each has a file, and the name is not taken yet')
    for (const name of [one, other]) t.equal(statSync(join(directory, name ?? '')).mode & 0o777, 0o600)
    await new Promise((resolve) => killed.once('exit', resolve).kill('SIGKILL'))
    t.equal(readdirSync(directory).length, 2, 'kill -9 leaves it')
    const others = [
      `.alice.ndjson.00000000.${killed.pid}.0123abcd`,
      (one ?? '').replace('alice', 'bob'),
      `${one}.mine`,
    ]
    for (const name of others) writeFileSync(join(directory, name), 'not ours')

    await writeKeyFile(path, box)
    const now = readdirSync(directory)
    const theirs = now.filter((name) => name.includes(`.${living.pid}.`))
    t.equal(theirs.length, 1, 'a living process goes on with its own')
    t.same(now.sort(), ['alice.ndjson', ...others, ...theirs].sort())
    const exited = new Promise((resolve) => living.once('exit', resolve))
    living.send('leave')
    await exited
    t.notOk(readdirSync(directory).includes(theirs[0] ?? ''), 'one that leaves in a hurry takes it along')
  },
)

/** Another process that has begun to write the file, and does not end. */
async function halfWriting(path: string): Promise<ChildProcess> {
  const child = forkFixture('half-writer', [path])
  await new Promise((resolve) => child.once('message', resolve))
  return child
}

t.test('what is not a key file is refused by its size, or by not being there', async (t) => {
  const directory = t.testdir({})
  const large = join(directory, 'large')
  writeFileSync(large, Buffer.alloc(MAX_BOX_BYTES + 1))
  await t.rejects(readKeyFile(large), { code: 'not-a-backup' })
  await t.rejects(readKeyFile('/dev/zero'), { code: 'not-a-backup' }, 'without end')
  await t.rejects(readKeyFile(join(directory, 'none')), { code: 'not-found', message: /no such file/u })
  await t.rejects(writeKeyFile(join(directory, 'no', 'where'), box), {
    code: 'file-failed',
    message: /ENOENT/u,
  })
  await t.rejects(readKeyFile(directory), { code: 'file-failed', message: /EISDIR/u })
})
