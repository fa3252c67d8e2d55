import type { Fact, FactData } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import { avatarOf } from '../avatar.js'
import { nicknameOf } from '../nickname.js'
import { type Deciding, fact, selfOf } from './context.js'
import { mustSpeak } from './must-speak.js'
import { queueToFriends } from './queue-letter.js'

/** Changes of nickname or picture also go to every friend as a letter. @throws superseded, bad-profile */
export function setProfile(deciding: Deciding, wanted: FactData['ProfileChanged']): Fact[] {
  mustSpeak(deciding.view)
  const self = selfOf(deciding.view)
  const nickname = wanted.nickname === undefined ? self.nickname : nicknameOf(wanted.nickname)
  const avatar = wanted.avatar === undefined ? self.avatar : wanted.avatar && avatarOf(wanted.avatar)
  const change = {
    ...(nickname === self.nickname ? {} : { nickname }),
    ...(sameAvatar(avatar, self.avatar) ? {} : { avatar }),
  }
  const cardChanged = Object.keys(change).length > 0
  const card = avatar === null ? { nickname } : { nickname, avatar }
  const discoverable = wanted.discoverable ?? self.discoverable
  if (!cardChanged && discoverable === self.discoverable) return []
  const data = discoverable === self.discoverable ? change : { ...change, discoverable }
  const letters = cardChanged ? queueToFriends(deciding, { kind: 'profile', body: card }) : []
  return [fact('ProfileChanged', data), ...letters]
}

function sameAvatar(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b)
}
