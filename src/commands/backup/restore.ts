import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { formFlag, onlyFile } from '../../terminal/backup-form.js'

export default class BackupRestore extends SottoCommand<typeof BackupRestore> {
  static override summary = 'make the profile again from a copy of its key; overwrites nothing'
  static override flags = {
    form: formFlag(),
    in: Flags.string({ description: 'the copy' }),
    nickname: Flags.string({ description: 'nickname of a fresh profile (else the beginning of the id)' }),
  }

  async run() {
    onlyFile(this.flags.form)
    const { restore } = await import('../../profile/login.js')
    const { nickname } = this.flags
    const { id } = await restore({
      paths: await this.paths(),
      file: await this.answer(this.flags.in, 'key file', '--in'),
      passphrase: () => this.passphrase(),
      newPassphrase: () => this.newPassphrase(),
      signal: this.signal,
      ...(nickname === undefined ? {} : { nickname }),
    })
    this.log(`restored ${id}`)
    return { id }
  }
}
