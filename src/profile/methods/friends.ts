import * as v from 'valibot'
import type { ContactRow } from '../../projections/view.js'
import { SottoError } from '../../foundation/errors.js'
import { fingerprintOf, friendAnswer, presenceAnswer } from '../answers.js'
import { acceptFriend } from '../decisions/accept-friend.js'
import { changeEndpoints } from '../decisions/change-endpoints.js'
import { contactOf, selfOf } from '../decisions/context.js'
import { blockContact, rejectFriend, removeContact, unblockContact } from '../decisions/end-contact.js'
import { requestFriend } from '../decisions/request-friend.js'
import { waitFor } from '../wait-for.js'
import { readId } from '../who.js'
import { type Call, Text, Timeout, Who, method, person } from './method.js'

const MAX_ID_CHARACTERS = 256
const MAX_REQUEST_CHARACTERS = 1024
const MAX_ENDPOINT_CHARACTERS = 262
const LOOKUP_TIMEOUT_MS = 30_000
const CHECK_TIMEOUT_MS = 20_000

const Id = Text(MAX_ID_CHARACTERS)
const Endpoint = Text(MAX_ENDPOINT_CHARACTERS)

export const lookup = method(v.object({ id: Id }), async ({ host, view }, params) => {
  const id = readId(params.id)
  if (selfOf(view).id === id) throw new SottoError('that-is-you')
  const net = await host.net()
  const found = await net.command({ kind: 'lookup', id }, LOOKUP_TIMEOUT_MS)
  if (found.kind !== 'lookup') throw new SottoError('internal')
  const { nickname, avatar, reachable } = found
  return { id, nickname, avatar: avatar === null ? null : Buffer.from(avatar).toString('base64'), reachable }
})

const Add = v.object({
  id: Id,
  text: v.optional(Text(MAX_REQUEST_CHARACTERS)),
  timeout: v.optional(Timeout, 0),
})

export const add = method(Add, async (call, params) => {
  const { host, view, signal } = call
  const id = readId(params.id)
  await host.profile.change((deciding) => requestFriend(deciding, id, params.text))
  const waiting = () => view.contact(id)?.state === 'requested' && !contactOf(view, id).requestSent
  if (params.timeout > 0 && waiting()) {
    await host.net()
    await waitFor(host.profile, () => !waiting(), params.timeout * 1000, signal)
  }
  const { state, requestSent } = contactOf(view, id)
  return { id, state, sent: state !== 'requested' || requestSent }
})

export const requests = method(v.object({}), ({ view }) => ({
  requests: view
    .contacts()
    .filter((contact) => contact.state === 'incoming')
    .map(({ id, nickname, spki, at, text }) => ({
      id,
      nickname,
      fingerprint: spki === null ? null : fingerprintOf(spki),
      at,
      text,
    })),
}))

/** Accepting needs the network only to tell them; the letter stays queued until then. */
export const accept = method(
  v.object({ ...Who.entries, timeout: v.optional(Timeout, 0) }),
  async (call, params) => {
    const { host, view, signal } = call
    const { id } = person(call, params.who)
    await host.profile.change((deciding) => acceptFriend(deciding, id))
    const told = () => view.outbox(id, 1).length === 0
    if (params.timeout > 0 && !told()) {
      await host.net()
      await waitFor(host.profile, told, params.timeout * 1000, signal)
    }
    return { id, state: contactOf(view, id).state, told: told() }
  },
)

type Ending = typeof blockContact

const ending = (decision: Ending, after: (contact: ContactRow | undefined) => string) =>
  method(Who, async (call, params) => {
    const { id } = person(call, params.who)
    await call.host.profile.change((deciding) => decision(deciding, id))
    return { id, state: after(call.view.contact(id)) }
  })

const stateNow = (contact: ContactRow | undefined) => contact?.state ?? 'none'

export const reject = ending(rejectFriend, stateNow)
export const block = ending(blockContact, stateNow)
export const unblock = ending(unblockContact, stateNow)
export const remove = ending(removeContact, stateNow)

export const list = method(v.object({}), ({ view, now }) => ({
  friends: view.contacts().map((contact) => friendAnswer(view, contact, now)),
}))

export const show = method(Who, (call, params) => ({
  friends: [friendAnswer(call.view, person(call, params.who), call.now)],
}))

export const check = method(Who, async (call, params) => {
  const contact = person(call, params.who)
  if (contact.state !== 'friend') throw new SottoError('not-a-friend')
  const net = await call.host.net()
  const checked = await net.command({ kind: 'check', who: contact.id }, CHECK_TIMEOUT_MS)
  if (checked.kind !== 'check') throw new SottoError('internal')
  return { id: contact.id, status: checked.status, how: checked.how, age: checked.age }
})

const Address = v.object({ ...Who.entries, add: v.optional(Endpoint), remove: v.optional(Endpoint) })

export const address = method(Address, async (call, params) => {
  const { id } = person(call, params.who)
  await call.host.profile.change((deciding) => changeEndpoints(deciding, id, params))
  return { id, endpoints: contactOf(call.view, id).endpoints }
})

/** Of everyone at once, for status. */
export function statusOfAll({ view, now }: Call) {
  return view
    .contacts()
    .filter((contact) => contact.state === 'friend')
    .map(({ id, nickname }) => ({ id, nickname, ...presenceAnswer(view.presence(id), now) }))
}
