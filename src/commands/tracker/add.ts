import { Args } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { sayTrackers } from '../../terminal/say-trackers.js'

export default class TrackerAdd extends SottoCommand<typeof TrackerAdd> {
  static override summary = 'ask this tracker from now on; its key is in the url'
  static override args = {
    url: Args.string({ required: true, description: 'sotto-tracker://HOST:PORT/KEY' }),
  }

  async run() {
    const answer = await this.call('tracker.add', { url: this.args.url })
    this.log(sayTrackers(answer.trackers))
    return answer
  }
}
