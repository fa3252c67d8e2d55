import { SottoCommand } from '../../terminal/command.js'

export default class PresenceOnline extends SottoCommand<typeof PresenceOnline> {
  static override summary = 'go online, and tell trackers and friends'

  async run() {
    const answer = await this.call('presence.set', { status: 'online' })
    this.log(`you are ${answer.status}`)
    return answer
  }
}
