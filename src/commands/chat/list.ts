import { SottoCommand } from '../../terminal/command.js'
import { sayTime } from '../../terminal/say-time.js'
import { columns } from '../../terminal/table.js'

export default class ChatList extends SottoCommand<typeof ChatList> {
  static override summary = 'all conversations'

  async run() {
    const answer = await this.call('chat.list', {})
    const rows = answer.conversations.map(({ nickname, unread, messages, lastAt, after, id }) => [
      nickname,
      unread === 0 ? '' : `${unread} new`,
      `${messages} messages`,
      sayTime(lastAt),
      after === 'off' ? '' : `disappearing after ${after}`,
      id,
    ])
    this.log(rows.length === 0 ? 'nothing said yet' : columns(rows))
    return answer
  }
}
