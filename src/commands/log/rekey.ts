import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class LogRekey extends SottoCommand<typeof LogRekey> {
  static override summary = 'give the log a new key, and write all of it again under that'
  static override description =
    'Copies of the directory that were taken before stay readable under the old key; what is here is not. Chain and ' +
    'receipts hold. Takes as long as reading and writing the whole log.'
  static override flags = { yes: Flags.boolean({ description: 'do not ask' }) }

  async run() {
    await this.sure(this.flags.yes, 'write the whole log again under a new key?')
    const answer = await this.call('log.rekey', {})
    this.log(`generation ${answer.generation}`)
    return answer
  }
}
