import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class FriendBlock extends SottoCommand<typeof FriendBlock> {
  static override summary = 'no more talk with a person, either way'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }

  async run() {
    const answer = await this.call('friend.block', { who: this.args.who })
    this.log('blocked')
    return answer
  }
}
