import { SottoCommand } from '../terminal/command.js'
import { columns } from '../terminal/table.js'

export default class Doctor extends SottoCommand<typeof Doctor> {
  static override summary = 'look for what is wrong with the installation'
  static override description = 'Nothing is unlocked for it. Exit code 1 when a check fails.'

  async run() {
    const { examine } = await import('../profile/doctor.js')
    const checks = await examine(await this.paths())
    this.log(columns(checks.map(({ name, ok, detail }) => [ok ? 'ok' : 'NO', name, detail])))
    if (checks.some((check) => !check.ok)) process.exitCode = 1
    return { checks }
  }
}
