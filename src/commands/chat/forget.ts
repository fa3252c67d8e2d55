import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class ChatForget extends SottoCommand<typeof ChatForget> {
  static override summary = 'erase a message here, as if it had never been said'
  static override description =
    'Text and salt are off the disk when it returns; the log keeps that something was erased, and still proves the rest. A message that waits to be sent is sent no more. What the other side has stays there.'
  static override args = {
    message: Args.string({
      required: true,
      description: 'the id that chat send printed; chat read --json and chat search --json show them all',
    }),
  }
  static override flags = { yes: Flags.boolean({ description: 'do not ask' }) }

  async run() {
    await this.sure(this.flags.yes, 'erase it? it cannot be brought back')
    const answer = await this.call('chat.forget', { messageId: this.args.message })
    this.log('forgotten')
    return answer
  }
}
