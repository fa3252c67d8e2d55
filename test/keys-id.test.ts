import t from 'tap'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { seededRng } from '../src/foundation/rng.js'
import { ALPHABET, fromBase32, toBase32 } from '../src/keys/base32.js'
import { checkLine, encodeLine } from '../src/keys/check-line.js'
import { encodeKey } from '../src/keys/checked-key.js'
import { ed25519Public, isSoundPoint } from '../src/keys/ed25519.js'
import { addressOf, formatId, idOf } from '../src/keys/user-id.js'

const data = fc.string({ unit: fc.constantFrom(...Array.from(ALPHABET)), minLength: 1, maxLength: 27 })
const lineNumber = fc.integer({ min: 1, max: 1023 })
const address = ed25519Public(seededRng('alice').bytes(32))
const id = idOf(address)

function put(text: string, index: number, character: string): string {
  return text.slice(0, index) + character + text.slice(index + 1)
}
function others(character: string): string[] {
  return Array.from(ALPHABET).filter((other) => other !== character)
}

t.test(
  'ID-1 every single wrong character of an ID is located, and what should stand there is proposed',
  (t) => {
    for (let i = 0; i < id.length; i++) {
      for (const wrong of others(id.charAt(i))) {
        const place = `block ${i < 30 ? 1 : 2}, character ${(i % 30) + 1}: ${wrong} → ${id.charAt(i)}?`
        try {
          addressOf(put(id, i, wrong))
          t.fail(`accepted: ${place}`)
        } catch (error) {
          if (!(error instanceof Error) || !error.message.endsWith(place))
            t.fail(`${place} but ${String(error)}`)
        }
      }
    }
    t.throws(() => addressOf(put(id, 12, '9')), { code: 'bad-id', message: `13: 9 → ${id.charAt(12)}?` })
    t.end()
  },
)

t.test('ID-1 an ID is read however it is spaced and cased, with 0, 1 and 8 for O, I or L, and B', (t) => {
  t.match(id, /^[A-Z2-7]{60}$/u)
  t.same(addressOf(formatId(id)), address)
  t.same(addressOf(` ${id.toLowerCase().slice(0, 30)}\n${id.slice(30)} `), address)
  for (let n = 0; n < 20; n++) {
    const other = ed25519Public(seededRng(`person ${n}`).bytes(32))
    const sloppy = idOf(other).replaceAll('O', '0').replaceAll('B', '8').replace(/[IL]/u, '1')
    t.same(addressOf(sloppy), other)
  }
  t.end()
})

t.test('ID-1 a wrong length, swapped blocks and a foreign line are refused', (t) => {
  const [first, second] = [id.slice(0, 30), id.slice(30)]
  for (const text of [
    '',
    id.slice(1),
    `${id}A`,
    second + first,
    first + first,
    `${id}${id}`,
    'x'.repeat(1000),
  ]) {
    t.throws(() => addressOf(text), { code: 'bad-id' })
  }
  t.throws(() => addressOf(id.slice(1)), { message: /59 characters where 60 are needed/u })
  t.throws(() => addressOf(encodeKey(address, 3)), { code: 'bad-id' }, 'the form of a tracker key')
  t.end()
})

t.test('ID-1 points of small order and non-canonical encodings are no IDs', (t) => {
  const torsion = ed25519.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
  const small = Array.from({ length: 8 }, (_, n) => smallOrderPoint(torsion, n))
  t.equal(new Set(small.map(toBase32)).size, 8)
  for (const point of small) {
    t.notOk(isSoundPoint(point))
    t.throws(() => addressOf(idOf(point)), { code: 'bad-id', message: /no usable key/u })
  }
  const p = 2n ** 255n - 19n
  const sound = Array.from({ length: 19 }, (_, y) => y).filter((y) => isSoundPoint(littleEndian(BigInt(y))))
  t.ok(sound.length > 3, 'some small y are points')
  for (const y of sound) t.notOk(isSoundPoint(littleEndian(BigInt(y) + p)), `y = ${y} written as y + p`)
  t.notOk(isSoundPoint(littleEndian(1n | (1n << 255n))), 'x = 0 with a sign')
  t.notOk(isSoundPoint(littleEndian(2n)), 'not on the curve')
  t.ok(isSoundPoint(address))
  const unusedBits = encodeLine(id.slice(0, 26), 1) + encodeLine(nextCharacter(id.slice(30, 56)), 2)
  t.throws(() => addressOf(unusedBits), { code: 'bad-id', message: /bits that no key has/u })
  t.end()
})

t.test('every single substitution in a line is located and proposed', (t) => {
  fc.assert(
    fc.property(data, lineNumber, fc.nat(), fc.nat(30), (text, line, at, shift) => {
      const good = encodeLine(text, line)
      const index = at % good.length
      const wrong = others(good.charAt(index))[shift] ?? 'A'
      const suggestion = good.charAt(index)
      t.same(checkLine(put(good, index, wrong), line), {
        ok: false,
        problems: [{ code: 'substitution', column: index + 1, suggestion }],
      })
      t.same(checkLine(put(good, index, '?'), line), {
        ok: false,
        problems: [{ code: 'character', column: index + 1, suggestion }],
      })
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('two or three substitutions and neighbours swapped are always noticed', (t) => {
  fc.assert(
    fc.property(
      data,
      lineNumber,
      fc.uniqueArray(fc.nat(30), { minLength: 2, maxLength: 3 }),
      fc.integer({ min: 1, max: 31 }),
      (text, line, places, shift) => {
        const good = encodeLine(text, line)
        const damaged = places
          .filter((place) => place < good.length)
          .reduce(
            (now, place) => put(now, place, ALPHABET.charAt(ALPHABET.indexOf(now.charAt(place)) ^ shift)),
            good,
          )
        const swapped = good.slice(0, -2) + good.charAt(good.length - 1) + good.charAt(good.length - 2)
        return [damaged, swapped].every((bad) => bad === good || !checkLine(bad, line).ok)
      },
    ),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('a line in the place of another is noticed and not taken for one wrong character', (t) => {
  fc.assert(
    fc.property(data, lineNumber, lineNumber, (text, line, other) => {
      const good = encodeLine(text, line)
      t.same(checkLine(good, line), { ok: true, data: text })
      if (line === other) return
      t.same(checkLine(good, other), { ok: false, problems: [{ code: 'unlocated', column: null }] })
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('a 1 is whichever of I and L fits, and does not hide another error', (t) => {
  const good = encodeLine('ILILABCDEFGHI', 7)
  t.same(
    checkLine(
      good.replace(/[IL]/gu, '1').replaceAll('1', (_, i: number) => (i < 4 ? '1' : good.charAt(i))),
      7,
    ),
    {
      ok: true,
      data: 'ILILABCDEFGHI',
    },
  )
  t.same(checkLine(put(put(good, 1, '1'), 6, 'Q'), 7), {
    ok: false,
    problems: [{ code: 'substitution', column: 7, suggestion: 'C' }],
  })
  const manyOnes = checkLine(encodeLine('IIIIIIIII', 7).replaceAll('I', '1'), 7)
  t.ok(
    !manyOnes.ok &&
      manyOnes.problems.length >= 9 &&
      manyOnes.problems.every(({ code }) => code === 'character'),
  )
  t.end()
})

t.test('lengths come first', (t) => {
  const length = { ok: false, problems: [{ code: 'length', column: null }] }
  const good = encodeLine('ABCDEF', 9)
  t.same(checkLine(good, 9, 6), { ok: true, data: 'ABCDEF' })
  t.same(checkLine(good, 9, 7), length)
  for (const text of ['', 'ABCD', 'A'.repeat(32), 'A'.repeat(100_000)]) t.same(checkLine(text, 9), length)
  for (const [text, line] of [
    ['', 1],
    ['A'.repeat(28), 1],
    ['a', 1],
    ['1', 1],
    ['A', 0],
    ['A', 1024],
    ['A', 1.5],
  ] as const) {
    t.throws(() => encodeLine(text, line), { code: 'malformed' })
  }
  t.end()
})

t.test('no text makes the reader of lines crash', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), lineNumber, (text, line) => {
      checkLine(text, line)
    }),
  )
  t.end()
})

t.test('base 32 has one spelling for a value', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      t.same(fromBase32(toBase32(bytes)), bytes)
    }),
  )
  for (const text of ['AB', 'A', 'ABC', 'ABCDEF', 'aa', 'AA======', '0A', 'A A']) {
    t.throws(() => fromBase32(text), { code: 'malformed' }, text)
  }
  t.end()
})

type Point = ReturnType<typeof ed25519.Point.fromHex>

function smallOrderPoint(torsion: Point, n: number): Uint8Array {
  return (n === 0 ? ed25519.Point.ZERO : torsion.multiply(BigInt(n))).toBytes()
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

/** The last of 26 characters with one of its unused bits set. */
function nextCharacter(text: string): string {
  return text.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(text.charAt(25)) + 1)
}
