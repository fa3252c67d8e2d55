import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { sayAge } from '../../terminal/say-time.js'

export default class FriendCheck extends SottoCommand<typeof FriendCheck> {
  static override summary = 'whether a friend is online, asked now'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }

  async run() {
    const answer = await this.call('friend.check', { who: this.args.who })
    this.log(
      answer.status === 'unknown'
        ? 'Status unknown'
        : `${answer.status} (${answer.how}, ${sayAge(answer.age)})`,
    )
    return answer
  }
}
