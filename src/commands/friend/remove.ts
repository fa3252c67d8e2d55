import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class FriendRemove extends SottoCommand<typeof FriendRemove> {
  static override summary = 'take a person out of the list; the log keeps what was said'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }
  static override flags = { yes: Flags.boolean({ description: 'do not ask' }) }

  async run() {
    await this.sure(this.flags.yes, 'take them out of the list?')
    const answer = await this.call('friend.remove', { who: this.args.who })
    this.log('removed')
    return answer
  }
}
