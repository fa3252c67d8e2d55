import { SottoCommand } from '../../terminal/command.js'
import { columns } from '../../terminal/table.js'

export default class SettingsList extends SottoCommand<typeof SettingsList> {
  static override summary = 'all settings'

  async run() {
    const answer = await this.call('settings.list', {})
    this.log(columns(Object.entries(answer.settings).map(([key, value]) => [key, String(value)])))
    return answer
  }
}
