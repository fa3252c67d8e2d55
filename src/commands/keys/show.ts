import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { columns } from '../../terminal/table.js'

export default class KeysShow extends SottoCommand<typeof KeysShow> {
  static override summary = 'id, fingerprints and signature of your public key'
  static override flags = {
    qr: Flags.boolean({ description: 'draw the id as a code for another camera' }),
    'qr-file': Flags.string({ description: 'write the id as a code into this PNG; friend add reads it' }),
  }

  async run() {
    const answer = await this.call('keys.show', {})
    const { id, bits, fingerprint, md5, epoch, signature } = answer
    const file = this.flags['qr-file']
    if (file !== undefined || this.flags.qr) {
      const { drawId, writeIdPicture } = await import('../../profile/id-picture.js')
      if (file !== undefined) await writeIdPicture(id, file)
      if (this.flags.qr) this.log(await drawId(id))
    }
    const rows = [
      ['id', id],
      ['key', `RSA of ${bits} bits, epoch ${epoch}`],
      ['sha-256', fingerprint],
      ['md5', md5],
      ['signature', signature],
    ]
    this.log(columns(rows))
    return answer
  }
}
