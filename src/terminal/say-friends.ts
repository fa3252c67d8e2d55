import type { FriendAnswer } from '../profile/answers.js'
import { sayAge } from './say-time.js'
import { columns } from './table.js'

export function sayFriends(friends: readonly FriendAnswer[]): string {
  return columns(
    friends.map(({ nickname, state, status, how, age, verified, id }) => [
      nickname,
      state,
      how === 'none' ? status : `${status} (${how}, ${sayAge(age)})`,
      verified ? 'verified' : '',
      id,
    ]),
  )
}
