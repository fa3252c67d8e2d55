import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { formFlag, onlyFile } from '../../terminal/backup-form.js'

export default class BackupCreate extends SottoCommand<typeof BackupCreate> {
  static override summary = 'a sealed copy of the key to keep outside'
  static override description =
    'Whoever has the copy and its passphrase is you. Messages are not in it. The passphrase of the profile is verified; --new-passphrase-file gives the copy one of its own. It works with a damaged log too.'
  static override flags = {
    form: formFlag(),
    out: Flags.string({ description: 'file to write; it must not be there yet', required: true }),
  }

  async run() {
    onlyFile(this.flags.form)
    const { createBackup } = await import('../../profile/backup.js')
    const { out } = this.flags
    const { check, recovery, noted } = await createBackup({
      paths: await this.paths(),
      out,
      passphrase: () => this.passphrase(),
      newPassphrase: () => this.newPassphrase(),
    })
    this.log(`wrote ${out}`)
    this.say(
      'keep this file in a safe place, off this machine; without it and its passphrase the key is gone',
    )
    if (!noted)
      this.say(
        'the log does not open, or takes nothing, and so does not know of this copy; run sotto log audit',
      )
    if (recovery === null)
      this.say(
        'the recovery key cannot be read from the log and is not in this copy; keep earlier copies too',
      )
    return { form: 'file', files: [out], check, recovery, noted }
  }
}
