import t from 'tap'
import fc from 'fast-check'
import { Reader } from '../src/foundation/reader.js'
import { seededRng } from '../src/foundation/rng.js'
import { HAVE_TAGS, haveBody, makeHave, missingFrom, readHave } from '../src/net/links/have.js'
import { decodeBody, encodeBody, VALUE_PLAINTEXT_BYTES } from '../src/net/tracker/record-body.js'
import type { DeviceEvidence, Fact, FactOf } from '../src/events/vocabulary/facts.js'
import { activated, conflicted, NO_DEVICE, superseded } from '../src/projections/folds/own-device.js'
import { given } from './fixtures/projected.js'
import { PEOPLE } from './fixtures/histories.js'

const BOB = PEOPLE[1] ?? ''
const bytes = (name: string, length = 16) => seededRng(name).bytes(length)
const stored = <T extends Fact['type']>(type: T, data: FactOf<T>['data']) =>
  ({ seq: 1, at: 1, type, data }) as FactOf<T>
const device = (name: string, epoch: number) => ({
  epoch,
  device: bytes(name),
  statement: bytes(`${name} ${epoch}`, 123),
})
const evidence = (epoch: number): DeviceEvidence => ({ epoch, device: bytes('other'), how: 'contact' })

t.test(
  'DEV-1 what stands against our device: newer epochs count, and only a newer one of ours settles it',
  (t) => {
    const active = activated(NO_DEVICE, stored('DeviceActivated', device('laptop', 3)))
    t.equal(active.device?.epoch, 3)
    t.equal(
      activated(active, stored('DeviceActivated', device('old', 3))),
      active,
      'the first of an epoch stays',
    )
    t.equal(superseded(active, stored('DeviceSuperseded', evidence(3))), active, 'not newer')
    t.equal(conflicted(active, stored('DeviceConflict', evidence(2))), active, 'an epoch that is over')
    const both = conflicted(
      superseded(active, stored('DeviceSuperseded', evidence(5))),
      stored('DeviceConflict', evidence(3)),
    )
    t.match(both, { superseded: { epoch: 5, how: 'contact' }, deviceConflict: { epoch: 3 } })
    t.match(activated(both, stored('DeviceActivated', device('laptop', 4))), {
      device: { epoch: 4 },
      superseded: { epoch: 5 },
      deviceConflict: null,
    })
    t.match(activated(both, stored('DeviceActivated', device('phone', 6))), {
      device: { epoch: 6 },
      superseded: null,
      deviceConflict: null,
    })
    t.end()
  },
)

t.test(
  'DEV-1 a contact’s devices: the newest epoch, two of one epoch side by side, doubt that stays',
  async (t) => {
    const seen = (name: string, epoch: number): Fact => ({
      type: 'ContactDeviceSeen',
      data: { id: BOB, ...device(name, epoch) },
    })
    const world = await given({ type: 'FriendRequested', data: { id: BOB, token: bytes('token', 32) } })
    t.match(world.when(seen('a', 2)).contact(BOB), { device: device('a', 2), rival: null, doubt: null })
    t.match(world.when(seen('b', 1), seen('a', 2)).contact(BOB), { device: device('a', 2), rival: null })
    t.match(world.when(seen('b', 2), seen('c', 2)).contact(BOB), {
      device: device('a', 2),
      rival: device('b', 2),
    })
    world.when({ type: 'ContactDoubted', data: { id: BOB, why: 'two-devices' } })
    t.match(world.when(seen('b', 3)).contact(BOB), {
      ...{ device: device('b', 3), rival: null, doubt: 'two devices', verified: false },
    })
    t.equal(world.when(seen('b', 4)).contact(PEOPLE[2] ?? ''), undefined, 'of nobody nothing is kept')
  },
)

t.test('which letters one has: found again, nothing else told, on one link only', (t) => {
  const key = { pairKey: bytes('pair', 32), transcript: bytes('link', 32), direction: Uint8Array.of(1) }
  const id = (n: number) => bytes(`letter ${n}`).toString('hex')
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500), { maxLength: 60 }), fc.nat(60), (numbers, cut) => {
      const ids = numbers.map(id)
      const have = makeHave(key, 7, ids.slice(0, cut), seededRng('fill'))
      const body = haveBody(have)
      const heard = readHave(new Reader(body))
      t.equal(body.length, 6 + HAVE_TAGS * 4)
      t.strictSame(missingFrom(heard, key, ids), ids.slice(cut))
      t.equal(heard.since, 7)
    }),
    { numRuns: 30 },
  )
  const have = makeHave(key, 0, [id(1)], seededRng('fill'))
  for (const other of [{ transcript: bytes('another link', 32) }, { direction: Uint8Array.of(2) }]) {
    t.strictSame(missingFrom(have, { ...key, ...other }, [id(1)]), [id(1)])
  }
  const many = Array.from({ length: HAVE_TAGS + 5 }, (_, n) => id(n))
  t.equal(missingFrom(makeHave(key, 0, many, seededRng('full')), key, many).length, 5, 'more find no room')
  t.end()
})

t.test('a friends record names the device; endpoints make room for it, the last first', (t) => {
  const endpoints = Array.from({ length: 12 }, (_, n) => `198.51.100.${n}:4711`)
  const body = { status: 'online', at: 5, introduction: null, questions: false, endpoints } as const
  const named = decodeBody(encodeBody({ ...body, device: { epoch: 7, device: bytes('phone', 8) } }))
  t.match(named, { status: 'online', at: 5, device: { epoch: 7 }, endpoints: endpoints.slice(0, 10) })
  t.strictSame(Buffer.from(named.device?.device ?? []), bytes('phone', 8))
  const plain = encodeBody({ ...body, device: null })
  t.equal(plain.length, VALUE_PLAINTEXT_BYTES)
  t.match(decodeBody(plain), { device: null, endpoints: endpoints.slice(0, 11) })
  const later = Buffer.from(plain)
  later[8] = 8
  t.throws(() => decodeBody(later), { code: 'malformed' }, 'a flag of a later version')
  t.end()
})
