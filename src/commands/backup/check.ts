import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { formFlag, onlyFile } from '../../terminal/backup-form.js'

export default class BackupCheck extends SottoCommand<typeof BackupCheck> {
  static override summary = 'whether a copy of the key is whole, and opens'
  static override description = 'Without a passphrase only its form is checked. Exit code 1 on a problem.'
  static override flags = { form: formFlag(), in: Flags.string({ description: 'the copy' }) }

  async run() {
    onlyFile(this.flags.form)
    const { checkBackup } = await import('../../profile/backup.js')
    const file = await this.answer(this.flags.in, 'key file', '--in')
    const answer = await checkBackup(file, () => this.#passphraseIfAny())
    const [problem] = answer.problems
    this.log(
      problem === undefined ? (answer.opened ? 'whole, and opens' : 'whole; not opened') : problem.code,
    )
    if (!answer.ok) process.exitCode = 1
    return answer
  }

  async #passphraseIfAny(): Promise<string | null> {
    const given = this.flags['passphrase-file'] ?? process.env['SOTTO_PASSPHRASE_FILE']
    return given === undefined && !this.asking.interactive ? null : this.passphrase()
  }
}
