import { Flags } from '@oclif/core'
import { SottoError } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'
import { columns } from '../../terminal/table.js'

export default class LogReplay extends SottoCommand<typeof LogReplay> {
  static override summary = 'fold the whole log again into everything shown'
  static override description =
    'With --verify what is stored is compared with a fresh replay and left alone; otherwise it is replaced by one.'
  static override flags = {
    verify: Flags.boolean({ description: 'compare only; exit code 7 on a difference' }),
  }

  async run() {
    const answer = await this.call('log.replay', { verify: this.flags.verify })
    this.log(`${answer.events} events, state ${answer.hash}`)
    this.log(
      columns(
        answer.projections.map(({ name, rows, equal }) => [
          name,
          `${rows} rows`,
          equal ? 'equal' : 'DIFFERS',
        ]),
      ),
    )
    const differs = answer.projections.some((projection) => !projection.equal)
    if (differs && !this.jsonEnabled())
      throw new SottoError('log-corrupt', 'a projection differs from the replay')
    if (differs) process.exitCode = 7
    return answer
  }
}
