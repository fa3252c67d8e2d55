import { SottoCommand } from '../../terminal/command.js'
import { sayTime } from '../../terminal/say-time.js'
import { columns } from '../../terminal/table.js'

export default class FriendRequests extends SottoCommand<typeof FriendRequests> {
  static override summary = 'who asks to be a friend'

  async run() {
    const answer = await this.call('friend.requests', {})
    const rows = answer.requests.map(({ id, nickname, at, text }) => [nickname, id, sayTime(at), text ?? ''])
    this.log(rows.length === 0 ? 'nobody' : columns(rows))
    return answer
  }
}
