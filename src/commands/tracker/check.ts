import { SottoCommand } from '../../terminal/command.js'
import { sayTrackers } from '../../terminal/say-trackers.js'

export default class TrackerCheck extends SottoCommand<typeof TrackerCheck> {
  static override summary = 'ask every tracker now'

  async run() {
    const answer = await this.call('tracker.check', {})
    this.log(sayTrackers(answer.trackers))
    return answer
  }
}
