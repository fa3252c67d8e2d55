import { Flags } from '@oclif/core'
import { EXIT } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'
import { Progress } from '../../terminal/progress.js'
import { columns } from '../../terminal/table.js'

export default class LogReplay extends SottoCommand<typeof LogReplay> {
  static override summary = 'fold the whole log again into everything shown'
  static override description =
    'With --verify what is stored is compared with a fresh replay and left alone; otherwise it is replaced by one.'
  static override flags = {
    verify: Flags.boolean({ description: 'compare only; exit code 7 on a difference' }),
  }

  async run() {
    const answer = await this.#replay()
    this.log(`${answer.events} events, state ${answer.hash}`)
    const rows = answer.projections.map(({ name, rows, equal }) => {
      return [name, `${rows} rows`, equal ? 'equal' : 'DIFFERS']
    })
    this.log(columns(rows))
    if (answer.projections.some(({ equal }) => !equal)) process.exitCode = EXIT.integrity
    return answer
  }

  async #replay() {
    const access = await this.access()
    const progress = new Progress('replaying the log')
    const onEvent = (event: unknown) => {
      // Events are the daemon's own, of the shape of the method.
      const { done, total } = event as { done: number; total: number }
      progress.update(done / Math.max(1, total))
    }
    try {
      return await access.call('log.replay', { verify: this.flags.verify }, { signal: this.signal, onEvent })
    } finally {
      progress.end()
    }
  }
}
