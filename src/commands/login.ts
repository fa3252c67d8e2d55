import { Flags } from '@oclif/core'
import { formFlag, onlyFile } from '../terminal/backup-form.js'
import { SottoCommand } from '../terminal/command.js'

export default class Login extends SottoCommand<typeof Login> {
  static override summary = 'open a profile from a key that was kept outside'
  static override description =
    'On a machine that has nothing but the key file a fresh profile is made around it; on one that was logged out, the old log opens again.'
  static override examples = ['<%= config.bin %> login --form file --in key.sotto']
  static override flags = {
    form: formFlag(),
    in: Flags.string({ description: 'the key file' }),
    nickname: Flags.string({ description: 'nickname of a fresh profile (else the beginning of the id)' }),
  }

  async run() {
    onlyFile(this.flags.form)
    const { login } = await import('../profile/login.js')
    const file = await this.answer(this.flags.in, 'key file', '--in')
    const { nickname } = this.flags
    const answer = await login({
      paths: await this.paths(),
      file,
      passphrase: () => this.passphrase(),
      newPassphrase: () => this.newPassphrase(),
      signal: this.signal,
      ...(nickname === undefined ? {} : { nickname }),
    })
    this.log(`logged in as ${answer.nickname}, ${answer.id}`)
    return answer
  }
}
