import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class FriendAdd extends SottoCommand<typeof FriendAdd> {
  static override summary = 'ask somebody to be a friend'
  static override description =
    'Their id, or a PNG with its code. Someone who asked you first is accepted. The request is kept until it gets through.'
  static override args = {
    who: Args.string({ required: true, description: 'an id, or a PNG with the code of one' }),
  }
  static override flags = {
    text: Flags.string({ description: 'a word with the request; no chat yet' }),
    timeout: Flags.integer({ description: 'seconds to try for; without a daemon 10', min: 0 }),
  }

  async run() {
    const id = this.args.who.toLowerCase().endsWith('.png') ? await this.#fromPicture() : this.args.who
    const { daemon } = await this.access()
    const { text } = this.flags
    const answer = await this.call('friend.add', {
      id,
      timeout: this.flags.timeout ?? (daemon ? 0 : 10),
      ...(text === undefined ? {} : { text }),
    })
    this.log(
      answer.state === 'friend' ? 'you are friends' : answer.sent ? 'asked' : 'kept; asked when they appear',
    )
    return answer
  }

  async #fromPicture() {
    const { readIdPicture } = await import('../../profile/id-picture.js')
    return readIdPicture(this.args.who)
  }
}
