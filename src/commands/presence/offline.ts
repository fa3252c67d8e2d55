import { SottoCommand } from '../../terminal/command.js'

export default class PresenceOffline extends SottoCommand<typeof PresenceOffline> {
  static override summary = 'go offline, and tell trackers and friends'

  async run() {
    const answer = await this.call('presence.set', { status: 'offline' })
    this.log(`you are ${answer.status}`)
    return answer
  }
}
