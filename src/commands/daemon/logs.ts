import { readFile } from 'node:fs/promises'
import { SottoCommand } from '../../terminal/command.js'

export default class DaemonLogs extends SottoCommand<typeof DaemonLogs> {
  static override summary = 'what detached daemons had to say'
  static override description = 'Holds no id, name, text or address.'

  async run() {
    const { daemonLog } = await this.paths()
    const text = await readFile(daemonLog, 'utf8').catch(() => '')
    const lines = text.split('\n').filter((line) => line !== '')
    if (lines.length > 0) this.log(lines.join('\n'))
    return { lines }
  }
}
