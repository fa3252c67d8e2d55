import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { safeLine } from '../../terminal/safe-text.js'

export default class FriendLookup extends SottoCommand<typeof FriendLookup> {
  static override summary = 'who is behind an id, before you ask them'
  static override args = { id: Args.string({ required: true, description: 'their id' }) }

  async run() {
    const answer = await this.call('friend.lookup', { id: this.args.id })
    this.log(answer.reachable ? safeLine(answer.nickname ?? 'there, but shows no name') : 'not reachable now')
    return answer
  }
}
