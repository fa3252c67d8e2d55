import { Args, Flags } from '@oclif/core'
import { EXIT } from '../../foundation/errors.js'
import type { MessageAnswer } from '../../profile/answers.js'
import { SottoCommand } from '../../terminal/command.js'
import { safeJson } from '../../terminal/safe-json.js'
import { idsFlag } from '../../terminal/ids-flag.js'
import { sayMessage } from '../../terminal/say-message.js'
import { parseSince } from '../../terminal/since.js'

export default class ChatRead extends SottoCommand<typeof ChatRead> {
  static override summary = 'the messages of a conversation, oldest first; they count as read then'
  static override description =
    'With --follow it goes on until interrupted, one message a line (one JSON object with --json).'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }
  static override flags = {
    since: Flags.string({ description: 'only from then on: milliseconds since 1970, or a date' }),
    limit: Flags.integer({ description: 'only the newest so many', min: 1, max: 1000 }),
    follow: Flags.boolean({ description: 'go on as messages come' }),
    ids: idsFlag(),
  }

  async run() {
    const { since, limit, follow, ids } = this.flags
    const params = {
      who: this.args.who,
      ...(since === undefined ? {} : { since: parseSince(since) }),
      ...(limit === undefined ? {} : { limit }),
    }
    if (follow) return this.#follow(params)
    const messages = await this.messages('chat.read', params)
    for (const message of messages) this.log(sayMessage(message, ids))
    return { messages }
  }

  /** A stream prints its own lines, until it is interrupted. */
  async #follow(params: { who: string }) {
    const { follow } = await import('../../terminal/follow.js')
    const print = (message: MessageAnswer) =>
      process.stdout.write(
        `${this.jsonEnabled() ? safeJson(message) : sayMessage(message, this.flags.ids)}\n`,
      )
    await follow(await this.access(), params, print, this.signal)
    if (this.signal.aborted) process.exitCode = EXIT.interrupted
  }
}
