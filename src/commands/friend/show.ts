import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { sayFriends } from '../../terminal/say-friends.js'
import { columns } from '../../terminal/table.js'

export default class FriendShow extends SottoCommand<typeof FriendShow> {
  static override summary = 'one person: fingerprint, addresses, what is pending'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }

  async run() {
    const answer = await this.call('friend.show', { who: this.args.who })
    this.log(sayFriends(answer.friends))
    for (const { fingerprint, endpoints, pending, doubt } of answer.friends) {
      const rows = [
        ['sha-256', fingerprint ?? 'not known yet'],
        ['addresses', endpoints.join(' ')],
        ['pending', String(pending)],
        ['doubt', doubt ?? 'none'],
      ]
      this.log(columns(rows))
    }
    return answer
  }
}
