import { EXIT } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'
import { sayTime } from '../../terminal/say-time.js'

export default class DaemonStatus extends SottoCommand<typeof DaemonStatus> {
  static override summary = 'whether a daemon runs; exit code 3 when none does'

  async run() {
    const { daemonAccess } = await import('../../profile/access.js')
    const daemon = await daemonAccess(await this.paths())
    if (daemon === null) {
      process.exitCode = EXIT.notFound
      this.log('no daemon runs')
      return { running: false, pid: null, listening: null, since: null }
    }
    const answer = await daemon.call('daemon.status', {}).finally(() => daemon.close())
    this.log(
      `pid ${answer.pid}, listening on ${answer.listening ?? 'nothing'}, since ${sayTime(answer.since)}`,
    )
    return answer
  }
}
