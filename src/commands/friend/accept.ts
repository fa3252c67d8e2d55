import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class FriendAccept extends SottoCommand<typeof FriendAccept> {
  static override summary = 'accept a request'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }
  static override flags = {
    timeout: Flags.integer({ description: 'seconds to try to tell them; without a daemon 10', min: 0 }),
  }

  async run() {
    const { daemon } = await this.access()
    const timeout = this.flags.timeout ?? (daemon ? 0 : 10)
    const answer = await this.call('friend.accept', { who: this.args.who, timeout })
    this.log('you are friends')
    return answer
  }
}
