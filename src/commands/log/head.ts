import { SottoCommand } from '../../terminal/command.js'

export default class LogHead extends SottoCommand<typeof LogHead> {
  static override summary = 'number and link of the newest event'

  async run() {
    const answer = await this.call('log.head', {})
    this.log(`${answer.seq} ${answer.link}`)
    return answer
  }
}
