import { Flags } from '@oclif/core'
import { SottoError } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'

export default class KeysExport extends SottoCommand<typeof KeysExport> {
  static override summary = 'write the key as PEM: the public half, or the private one after the passphrase'
  static override flags = {
    out: Flags.string({ description: 'file to write; it must not be there yet', required: true }),
    public: Flags.boolean({
      description: 'the public key only (the default)',
      exclusive: ['encrypted', 'plain'],
    }),
    encrypted: Flags.boolean({
      description: 'the private key, sealed with a new passphrase',
      exclusive: ['plain'],
    }),
    plain: Flags.boolean({ description: 'the private key as it is; whoever reads the file is you' }),
    yes: Flags.boolean({ description: 'do not ask' }),
  }

  async run() {
    const { exportKey } = await import('../../profile/export-key.js')
    const form = this.flags.plain ? 'plain' : this.flags.encrypted ? 'encrypted' : 'public'
    if (form === 'plain') await this.sure(this.flags.yes, 'write the private key unsealed?')
    if (form === 'encrypted' && !this.asking.interactive && this.flags['new-passphrase-file'] === undefined) {
      throw new SottoError('missing-answer', '--new-passphrase-file')
    }
    await exportKey({
      paths: await this.paths(),
      out: this.flags.out,
      form,
      passphrase: () => this.passphrase(),
      newPassphrase: () => this.newPassphrase(),
    })
    this.log(`wrote ${this.flags.out}`)
    return { form, file: this.flags.out }
  }
}
