import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class SettingsSet extends SottoCommand<typeof SettingsSet> {
  static override summary = 'change a setting'
  static override args = {
    key: Args.string({ required: true, description: 'such as receipts.read' }),
    value: Args.string({ required: true, description: 'a number, or yes or no' }),
  }

  async run() {
    const answer = await this.call('settings.set', { key: this.args.key, value: this.args.value })
    this.log(`${answer.key} is ${String(answer.value)}`)
    return answer
  }
}
