import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class DeviceExport extends SottoCommand<typeof DeviceExport> {
  static override summary = 'the whole log, sealed into a file for another device of yours'
  static override description =
    'Only your own key opens it; the key itself is not in it: log in on the other device first. What comes after this is not in the file, so stop this device when you move.'
  static override flags = {
    out: Flags.string({ description: 'file to write', required: true }),
    yes: Flags.boolean({ description: 'replace a file of that name' }),
  }

  async run() {
    const { out, yes } = this.flags
    const answer = await this.call('device.export', { out: resolve(out), overwrite: yes })
    this.log(`wrote ${out}, ${answer.bytes} bytes: event ${answer.seq}, link ${answer.link}`)
    this.log(`state ${answer.hash}`)
    this.say('take it to the other device, and import it there; do not use this one any more after that')
    return { ...answer, out }
  }
}
