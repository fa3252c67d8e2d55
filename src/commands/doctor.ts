import { Flags } from '@oclif/core'
import { EXIT } from '../foundation/errors.js'
import { SottoCommand } from '../terminal/command.js'
import { Progress } from '../terminal/progress.js'
import { columns } from '../terminal/table.js'

export default class Doctor extends SottoCommand<typeof Doctor> {
  static override summary =
    'look for what is wrong: installation, files, the whole log, what is shown, the daemon'
  static override description =
    'Changes nothing and asks nobody on the network. Reads the log through the daemon, or with the passphrase. Exit code ' +
    '1 when a check fails.'
  static override flags = {
    quick: Flags.boolean({ description: 'unlock nothing: without a daemon the log is not read' }),
  }

  async run() {
    const { examine } = await import('../profile/doctor.js')
    const progress = new Progress('replaying the log')
    const checks = await examine({
      paths: await this.paths(),
      passphrase: this.flags.quick ? null : () => this.passphrase(),
      onProgress: ({ done, total }) => progress.update(total === 0 ? null : done / total),
    })
    progress.end()
    this.log(columns(checks.map(({ name, ok, detail }) => [ok ? 'ok' : 'NO', name, detail])))
    if (checks.some((each) => !each.ok)) process.exitCode = EXIT.failed
    return { checks }
  }
}
