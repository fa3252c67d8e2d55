import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class FriendUnblock extends SottoCommand<typeof FriendUnblock> {
  static override summary = 'let a person talk again'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }

  async run() {
    const answer = await this.call('friend.unblock', { who: this.args.who })
    this.log('not blocked any more')
    return answer
  }
}
