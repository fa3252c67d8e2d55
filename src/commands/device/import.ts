import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { Progress } from '../../terminal/progress.js'

export default class DeviceImport extends SottoCommand<typeof DeviceImport> {
  static override summary = 'take over the log that another device of yours exported'
  static override description =
    'It takes the place of this device’s own log, and only if that holds nothing from or to people that the file does not hold too. Nothing is merged.'
  static override args = { file: Args.string({ description: 'what device export wrote', required: true }) }
  static override flags = { yes: Flags.boolean({ description: 'do not ask' }) }

  async run() {
    // Nothing that matters is ever replaced, so a script need not say yes; a person may have typed the wrong profile.
    if (this.asking.interactive)
      await this.sure(this.flags.yes, 'put the log in this file in the place of the one on this device?')
    const { importBundle } = await import('../../profile/device/import-bundle.js')
    const progress = new Progress('reading the log')
    const answer = await importBundle({
      paths: await this.paths(),
      file: this.args.file,
      passphrase: () => this.passphrase(),
      onProgress: ({ done, total }) => progress.update(total === 0 ? null : done / total),
    }).finally(() => progress.end())
    this.log(`event ${answer.seq}, link ${answer.link}`)
    this.log(`state ${answer.hash}`)
    this.say('this device speaks for you from when it first goes on the network: sotto daemon start')
    return answer
  }
}
