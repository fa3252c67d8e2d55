import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { sayTime } from '../../terminal/say-time.js'
import { columns } from '../../terminal/table.js'

export default class ChatShow extends SottoCommand<typeof ChatShow> {
  static override summary = 'what became of a message'
  static override args = {
    message: Args.string({
      required: true,
      description: 'the id that chat send printed; chat read --json and chat search --json show them all',
    }),
  }

  async run() {
    const answer = await this.call('chat.show', { messageId: this.args.message })
    this.log(answer.state)
    this.log(columns(answer.trail.map(({ at, what, how }) => [sayTime(at), what, how ?? ''])))
    return answer
  }
}
