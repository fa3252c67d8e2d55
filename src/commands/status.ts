import { Flags } from '@oclif/core'
import { SottoCommand } from '../terminal/command.js'
import { sayAge } from '../terminal/say-time.js'
import { columns } from '../terminal/table.js'

export default class Status extends SottoCommand<typeof Status> {
  static override summary = 'who is there, what is pending, how trackers and connections stand'
  static override flags = {
    connection: Flags.boolean({
      description: 'ask the trackers now, and list the connections of this process',
    }),
  }

  async run() {
    const answer = await this.call('status', { connection: this.flags.connection })
    this.log(`${answer.nickname} ${answer.id}`)
    const seen = answer.daemon ? `${answer.status}, daemon runs` : 'offline, no daemon'
    this.log(`${seen}, ${answer.pending} pending`)
    if (answer.superseded) this.log('superseded: another device speaks for you, this one only reads')
    const trackers = answer.trackers.map(({ url, ok }) => [
      'tracker',
      url,
      ok === null ? 'not asked' : ok ? 'ok' : 'no answer',
    ])
    const contacts = answer.contacts.map(({ nickname, status, how, age }) => [
      nickname,
      status,
      `${how} ${sayAge(age)}`,
    ])
    if (trackers.length + contacts.length > 0) this.log(columns([...trackers, ...contacts]))
    return answer
  }
}
