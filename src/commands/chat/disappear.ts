import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class ChatDisappear extends SottoCommand<typeof ChatDisappear> {
  static override summary = 'let the messages of a conversation disappear here after a time'
  static override description =
    'For your own copy only: what the other side has stays there. The time of a message that came runs from when it was first shown, of one of yours from when it had arrived or was given up; what is unread or waits to be sent stays. It counts for what was said before, too: what is over the time already goes at once, after a question.'
  static override examples = [
    '<%= config.bin %> chat disappear bob --after 7d',
    '<%= config.bin %> chat disappear bob --after off',
  ]
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }
  static override flags = {
    after: Flags.string({ required: true, description: '30m, 12h, 7d, 4w (at least 1m), or off' }),
    yes: Flags.boolean({ description: 'do not ask' }),
  }

  async run() {
    const { parseDuration } = await import('../../profile/duration.js')
    const afterMs = parseDuration(this.flags.after)
    if (afterMs !== null) await this.#askFirst(afterMs)
    const answer = await this.call('chat.disappear', { who: this.args.who, afterMs })
    this.log(answer.after === 'off' ? 'messages stay' : `messages disappear after ${answer.after}`)
    return answer
  }

  async #askFirst(afterMs: number): Promise<void> {
    const { messages } = await this.call('chat.overdue', { who: this.args.who, afterMs })
    if (messages > 0) await this.sure(this.flags.yes, `erase ${messages} older messages now?`)
  }
}
