import { SottoCommand } from '../../terminal/command.js'
import { sayFriends } from '../../terminal/say-friends.js'

export default class FriendList extends SottoCommand<typeof FriendList> {
  static override summary = 'everyone: friends, requests either way, blocked people'

  async run() {
    const answer = await this.call('friend.list', {})
    this.log(answer.friends.length === 0 ? 'nobody yet' : sayFriends(answer.friends))
    return answer
  }
}
