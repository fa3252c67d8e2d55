import type { UserId } from '../events/vocabulary/facts.js'
import { SottoError } from '../foundation/errors.js'
import { addressOf, idOf } from '../keys/user-id.js'
import type { ContactRow } from '../projections/view.js'
import { skeleton } from './look-alike.js'

const ID_CHARACTERS = 60
const MIN_PREFIX_CHARACTERS = 8
const SHOWN_CHOICES = 5
const CHOICE_ID_CHARACTERS = 12

/** What resolving WHO needs to know of a person. */
export type Named = Pick<ContactRow, 'id' | 'nickname'>

/**
 * The person meant by WHO: an ID, an unambiguous prefix of 8 or more characters of one, or a nickname.
 * A nickname that looks like another person's is refused, whoever was there first.
 * @throws not-found, ambiguous (naming the choices), bad-id (a whole ID with a typing error)
 */
export function resolveWho<T extends Named>(who: string, people: readonly T[]): T {
  const compact = compactId(who)
  if (looksLikeId(compact)) return byId(readId(who), people)
  const name = who.normalize('NFC').trim()
  const exact = people.filter((person) => person.nickname === name)
  const alike = people.filter(
    (person) => skeleton(person.nickname) === skeleton(name) && skeleton(name) !== '',
  )
  const prefixed =
    compact.length >= MIN_PREFIX_CHARACTERS ? people.filter((p) => p.id.startsWith(compact)) : []
  if (exact.length === 0 && prefixed.length === 0) throw notFound(alike)
  const choices = [...new Set([...exact, ...prefixed, ...(exact.length > 0 ? alike : [])])]
  const [only] = choices
  if (only === undefined || choices.length > 1) throw new SottoError('ambiguous', listed(choices))
  return only
}

/** An ID as typed by a person, in its canonical form. @throws bad-id naming the place of the error */
export function readId(text: string): UserId {
  return idOf(addressOf(text))
}

/** True for what can only be meant as a whole ID, right or mistyped. */
export function looksLikeId(compact: string): boolean {
  return Math.abs(compact.length - ID_CHARACTERS) <= 2 && /^[A-Z0-9]+$/.test(compact)
}

export function compactId(text: string): string {
  return text.replace(/[\s-]/g, '').toUpperCase()
}

function byId<T extends Named>(id: UserId, people: readonly T[]): T {
  const person = people.find((candidate) => candidate.id === id)
  if (person === undefined) throw new SottoError('not-found')
  return person
}

function notFound(alike: readonly Named[]): SottoError {
  return new SottoError('not-found', alike.length === 0 ? undefined : `it only looks like ${listed(alike)}`)
}

function listed(people: readonly Named[]): string {
  const shown = people.slice(0, SHOWN_CHOICES)
  const names = shown.map((person) => `${person.nickname} (${person.id.slice(0, CHOICE_ID_CHARACTERS)})`)
  return names.join(', ') + (people.length > shown.length ? ', …' : '')
}
