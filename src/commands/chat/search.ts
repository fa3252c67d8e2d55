import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { idsFlag } from '../../terminal/ids-flag.js'
import { sayMessage } from '../../terminal/say-message.js'

export default class ChatSearch extends SottoCommand<typeof ChatSearch> {
  static override summary = 'messages that hold a text, in all conversations'
  static override args = { text: Args.string({ required: true, description: 'capitals do not matter' }) }
  static override flags = { ids: idsFlag() }

  async run() {
    const messages = await this.messages('chat.search', { text: this.args.text })
    for (const message of messages) this.log(sayMessage(message, this.flags.ids))
    return { messages }
  }
}
