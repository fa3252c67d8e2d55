import { Args, Flags } from '@oclif/core'
import { SottoError } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'
import { readText } from '../../terminal/read-text.js'

const DEFAULT_TIMEOUT_S = 10

export default class ChatSend extends SottoCommand<typeof ChatSend> {
  static override summary = 'send a message; it is kept until it arrives'
  static override description =
    'Says honestly how far it came: queued, sent or delivered. With a daemon it returns as soon as it is kept, unless --wait; without one it tries for as long as --timeout.'
  static override examples = [
    '<%= config.bin %> chat send bob "see you at noon"',
    'echo "see you at noon" | <%= config.bin %> chat send bob - --wait delivered',
  ]
  static override args = {
    who: Args.string({ required: true, description: 'id, its beginning, or nickname' }),
    text: Args.string({ required: true, description: 'the text, or - to read it from stdin' }),
  }
  static override flags = {
    wait: Flags.string({
      description: 'for this, at most --timeout',
      options: ['queued', 'sent', 'delivered'],
    }),
    timeout: Flags.integer({ description: 'seconds', default: DEFAULT_TIMEOUT_S, min: 0 }),
    strict: Flags.boolean({
      description: 'exit code 6 when it did not come as far as --wait',
      dependsOn: ['wait'],
    }),
  }

  async run() {
    const text = this.args.text === '-' ? await readText(process.stdin) : this.args.text
    const { daemon } = await this.access()
    const wanted = this.flags.wait as 'queued' | 'sent' | 'delivered' | undefined
    const wait = wanted ?? (daemon ? 'queued' : 'delivered')
    const answer = await this.call('chat.send', {
      who: this.args.who,
      text,
      wait,
      timeout: this.flags.timeout,
    })
    this.#judge(answer, wait)
    this.log(`${answer.state} ${answer.messageId}`)
    return answer
  }

  #judge({ state, superseded }: { state: string; superseded: boolean }, wait: string): void {
    if (state === 'failed') throw new SottoError('serious')
    const order = ['queued', 'sent', 'delivered', 'read']
    if (order.indexOf(state) >= order.indexOf(wait)) return
    if (this.flags.strict) throw new SottoError('not-delivered')
    const next = superseded
      ? 'another device speaks for you now, and this one sends it no more: say it there'
      : 'goes on when the other side appears'
    this.say(`not ${wait} in the time given; it is ${state}, and ${next}`)
  }
}
