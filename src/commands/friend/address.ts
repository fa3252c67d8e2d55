import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class FriendAddress extends SottoCommand<typeof FriendAddress> {
  static override summary = 'where a person is reached, kept by hand'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }
  static override flags = {
    add: Flags.string({ description: 'HOST:PORT to try from now on' }),
    remove: Flags.string({ description: 'HOST:PORT to forget' }),
  }

  async run() {
    const { add, remove } = this.flags
    const answer = await this.call('friend.address', {
      who: this.args.who,
      ...(add === undefined ? {} : { add }),
      ...(remove === undefined ? {} : { remove }),
    })
    this.log(answer.endpoints.join('\n'))
    return answer
  }
}
