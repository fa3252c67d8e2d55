import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Fact, MessageId, UserId } from '../../src/events/vocabulary/facts.js'
import { fact } from '../../src/profile/decisions/context.js'
import { idOf } from '../../src/keys/user-id.js'

function newFriend(): UserId {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  return idOf(Buffer.from(x, 'base64url'))
}

/** Facts of one group and when they came. */
export interface Chapter {
  readonly facts: Fact[]
  readonly at: number
}

export const FRIENDS = 40
const START = 1_700_000_000_000
const STEP_MS = 20_000
const SHOWN_AT_ONCE = 20
const TEXT_BYTES = 60

export function newFriends(count = FRIENDS): UserId[] {
  return Array.from({ length: count }, newFriend)
}

/** Friends who have accepted each other; keys are of the right sizes and never used. */
export function befriend(friends: readonly UserId[]): Chapter {
  const facts = friends.flatMap((id, n) => [
    fact('FriendRequestReceived', {
      id,
      certificate: randomBytes(350),
      spki: randomBytes(1062),
      nickname: `friend ${n}`,
      token: randomBytes(32),
      endpoints: ['192.0.2.1:4000'],
    }),
    fact('FriendAccepted', { id, token: randomBytes(32) }),
  ])
  return { facts, at: START }
}

/**
 * A busy person's years: half of the messages come in and are looked at, twenty at a time; half go out, are sent and
 * acknowledged. A third is with one friend. About 2.05 facts a message.
 */
export function* conversation(friends: readonly UserId[], messages: number): Generator<Chapter> {
  const unseen = new Map<UserId, MessageId[]>()
  for (let n = 0; n < messages; n++) {
    const at = START + n * STEP_MS
    const friend = friends[n % 3 === 0 ? 0 : n % friends.length] ?? ''
    yield n % 2 === 0 ? received(friend, at, unseen) : sentOut(friend, at)
    const waiting = unseen.get(friend) ?? []
    if (waiting.length < SHOWN_AT_ONCE) continue
    yield { facts: [fact('MessagesShown', { from: friend, messageIds: waiting })], at }
    unseen.set(friend, [])
  }
}

function received(from: UserId, at: number, unseen: Map<UserId, MessageId[]>): Chapter {
  const messageId = newId()
  unseen.set(from, [...(unseen.get(from) ?? []), messageId])
  const letter = {
    messageId,
    checkCode: randomBytes(16),
    sentAt: at,
    kind: 'text',
    body: { text: text() },
  } as const
  return { facts: [fact('MessageReceived', { ...letter, from, how: 'link' })], at }
}

function sentOut(to: UserId, at: number): Chapter {
  const messageId = newId()
  const letter = {
    messageId,
    checkCode: randomBytes(16),
    sentAt: at,
    kind: 'text',
    body: { text: text() },
  } as const
  const facts = [
    fact('MessageQueued', { ...letter, to }),
    fact('MessageSent', { messageId, to, how: 'link' }),
    fact('MessageDelivered', { messageId, to }),
  ]
  return { facts, at }
}

function newId(): MessageId {
  return randomBytes(16).toString('hex')
}

function text(): string {
  return randomBytes(TEXT_BYTES).toString('base64')
}
