import { SottoCommand } from '../../terminal/command.js'

export default class DaemonStop extends SottoCommand<typeof DaemonStop> {
  static override summary = 'end the daemon; what is kept stays kept'

  async run() {
    const { stopDaemon } = await import('../../profile/logout.js')
    await stopDaemon(await this.paths())
    this.log('stopped')
    return { running: false }
  }
}
