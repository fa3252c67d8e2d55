import { SottoCommand } from '../../terminal/command.js'

export default class LogHead extends SottoCommand<typeof LogHead> {
  static override summary = 'number and link of the newest event, and a receipt of it to keep elsewhere'
  static override description =
    'Nothing here can show that the whole directory was put back to an older state; a receipt that was kept elsewhere ' +
    'can: log audit --since. It is signed, so whoever gets it can prove whose it is.'

  async run() {
    const answer = await this.call('log.head', {})
    this.log(`${answer.seq} ${answer.link}`)
    this.log(answer.receipt)
    return answer
  }
}
