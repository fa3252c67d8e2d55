import { SottoCommand } from '../../terminal/command.js'
import { sayTrackers } from '../../terminal/say-trackers.js'

export default class TrackerList extends SottoCommand<typeof TrackerList> {
  static override summary = 'the trackers that are asked'

  async run() {
    const answer = await this.call('tracker.list', {})
    this.log(sayTrackers(answer.trackers))
    return answer
  }
}
