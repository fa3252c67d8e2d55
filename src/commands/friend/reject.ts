import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class FriendReject extends SottoCommand<typeof FriendReject> {
  static override summary = 'turn down a request; they are not told'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }

  async run() {
    const answer = await this.call('friend.reject', { who: this.args.who })
    this.log('turned down')
    return answer
  }
}
