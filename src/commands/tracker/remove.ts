import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { sayTrackers } from '../../terminal/say-trackers.js'

export default class TrackerRemove extends SottoCommand<typeof TrackerRemove> {
  static override summary = 'do not ask this tracker any more'
  static override args = {
    url: Args.string({ required: true, description: 'sotto-tracker://HOST:PORT/KEY' }),
  }

  async run() {
    const answer = await this.call('tracker.remove', { url: this.args.url })
    this.log(sayTrackers(answer.trackers))
    return answer
  }
}
