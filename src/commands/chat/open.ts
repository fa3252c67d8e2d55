import { Args } from '@oclif/core'
import { createInterface } from 'node:readline/promises'
import { isSottoError } from '../../foundation/errors.js'
import type { MessageAnswer } from '../../profile/answers.js'
import { SottoCommand } from '../../terminal/command.js'
import { safeJson } from '../../terminal/safe-json.js'
import { sayMessage } from '../../terminal/say-message.js'

export default class ChatOpen extends SottoCommand<typeof ChatOpen> {
  static override summary = 'a conversation on the screen: what comes is shown, every line typed is sent'
  static override description = 'Ends with the end of input (ctrl-d) or an interruption.'
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
  }

  async run() {
    const { follow } = await import('../../terminal/follow.js')
    const access = await this.access()
    const ended = new AbortController()
    const signal = AbortSignal.any([this.signal, ended.signal])
    const typing = this.#sendTyped(signal).finally(() => ended.abort())
    const print = (message: MessageAnswer) =>
      process.stdout.write(`${this.jsonEnabled() ? safeJson(message) : sayMessage(message)}\n`)
    try {
      await follow(access, { who: this.args.who }, print, signal)
    } finally {
      ended.abort()
    }
    await typing
  }

  async #sendTyped(signal: AbortSignal): Promise<void> {
    const lines = createInterface({ input: process.stdin, crlfDelay: Infinity, signal })
    for await (const text of lines) {
      if (text.trim() !== '') await this.#send(text)
    }
  }

  /** A line that cannot be sent is said so, and the conversation goes on. */
  async #send(text: string): Promise<void> {
    try {
      await this.call('chat.send', { who: this.args.who, text })
    } catch (error) {
      if (!isSottoError(error)) throw error
      this.say(`${error.message}; ${error.hint}`)
    }
  }
}
