import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class SettingsGet extends SottoCommand<typeof SettingsGet> {
  static override summary = 'one setting'
  static override args = { key: Args.string({ required: true, description: 'such as refresh.interval' }) }

  async run() {
    const answer = await this.call('settings.get', { key: this.args.key })
    this.log(String(answer.value))
    return answer
  }
}
